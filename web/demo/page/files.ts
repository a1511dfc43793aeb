// Page thread: files come by the dialog or by being dropped anywhere on the page.

import { body, element } from "./dom.js";

/** Calls `take` with every file that is chosen or dropped. */
export function onFile(take: (file: File) => void): void {
  const input = element<HTMLInputElement>("#file");
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    input.value = "";
    if (file) take(file);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    body.dropping = "yes";
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) body.dropping = "no";
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    body.dropping = "no";
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
}
