// Adds a "Copy" button beside each value that is to be copied, which is selectable text without it.
"use strict";
{
  const copy = async (button) => {
    const said = document.getElementById(button.dataset.said);
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
      said.textContent = "Copied.";
    } catch {
      said.textContent = "Copying did not work. Select the text and copy it by hand.";
    }
  };
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", () => copy(button));
  }
}
