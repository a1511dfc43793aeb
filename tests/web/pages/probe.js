// Calls what a bundled page has left in the global scope.

async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** path: of probeTrack; none means probe */
export async function callProbe(path) {
  await until(() => globalThis.probe !== undefined);
  return path ? globalThis.probeTrack(path) : globalThis.probe();
}
