// Page thread: makes the page work without a network after its first visit. <body data-offline="ready"> says that it does.

const SCRIPT = "service-worker.js";
/** So long after loading, what the visitor has asked for first has most likely arrived. */
const QUIET_MS = 5000;

async function install(): Promise<void> {
  await navigator.serviceWorker.register(new URL(SCRIPT, document.baseURI));
  await navigator.serviceWorker.ready;
  document.body.dataset.offline = "ready";
}

// Private windows and insecure origins have no service workers; the page then needs its network.
if ("serviceWorker" in navigator) {
  const begin = () => setTimeout(() => void install().catch(() => undefined), QUIET_MS);
  if (document.readyState === "complete") begin();
  else addEventListener("load", begin);
}
