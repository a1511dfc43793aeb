// Plain HTML, no build step: the package's files lie in sordino/ beside this page.

import { openMicrophone, suppressTrack } from "./sordino/sordino.js";

const status = document.querySelector("[role=status]");

document.querySelector("button").addEventListener("click", async () => {
  const suppressed = await suppressTrack(await openMicrophone());
  suppressed.addEventListener("fallback", ({ detail }) => {
    status.textContent = `Unchanged voice: ${detail.cause.message}`;
  });
  document.querySelector("audio").srcObject = new MediaStream([suppressed.track]);
  status.textContent = suppressed.suppressing ? "Suppressing noise" : "Unchanged voice";
});
