// Lets a file be dropped onto its field, and says what was chosen. Without this script the field works by itself.
"use strict";
{
  const zone = document.querySelector("[data-drop]");
  const field = zone.querySelector("input[type=file]");
  const said = zone.querySelector("[data-said]");
  const largest = Number(field.dataset.largest);
  zone.querySelector("[data-hint]").hidden = false;

  const size = (bytes) => bytes < 1048576 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
  const tell = () => {
    const [file] = field.files;
    const tooLarge = file !== undefined && file.size > largest;
    field.setCustomValidity(tooLarge ? `The file has ${size(file.size)}; at most ${size(largest)} are taken.` : "");
    said.textContent = file === undefined ? "" : `${file.name}, ${size(file.size)}${tooLarge ? ": too large" : ""}`;
  };
  const over = (is) => zone.classList.toggle("drop--over", is);
  const holdsFile = (event) => event.dataTransfer !== null && event.dataTransfer.types.includes("Files");

  // A file that misses the field would otherwise replace the page.
  for (const name of ["dragover", "drop"]) {
    document.addEventListener(name, (event) => { if (holdsFile(event)) event.preventDefault(); });
  }
  zone.addEventListener("dragover", (event) => { if (holdsFile(event)) over(true); });
  zone.addEventListener("dragleave", (event) => { if (!zone.contains(event.relatedTarget)) over(false); });
  zone.addEventListener("drop", (event) => {
    over(false);
    if (!holdsFile(event) || event.dataTransfer.files.length === 0) return;
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    field.files = one.files;
    tell();
  });
  field.addEventListener("change", tell);
  tell();
}
