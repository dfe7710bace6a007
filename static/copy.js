// Adds a "Copy" button beside the completion code, which is selectable text without it.
"use strict";
{
  const button = document.getElementById("copy");
  const status = document.getElementById("copied");
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById("code").textContent.trim());
      status.textContent = "Copied.";
    } catch {
      status.textContent = "Copying did not work. Select the code and copy it by hand.";
    }
  });
}
