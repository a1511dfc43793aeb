// Pyodide in this page: installs the wheel with micropip, then cleans signals and hashes what comes out.

let python = null;

const PROGRAM = `
import hashlib
from array import array

import sordino
from sordino import _native

WEIGHTS = sordino.load_weights(sordino.find_model("standard"))


def clean(samples):
    """A Float32Array of whole hops; gives the SHA-256 of the native module's output."""
    heard = samples.to_py()
    out = array("f", bytes(heard.nbytes))
    _native.Stream(WEIGHTS).process(out, heard)
    return hashlib.sha256(out.tobytes()).hexdigest()
`;

/** Start Python and install the wheels, micropip and its like first; returns the versions. */
export async function start(runtime, installers, wheel) {
  const { loadPyodide } = await import(`${runtime}/pyodide.mjs`);
  python = await loadPyodide({ indexURL: `${runtime}/` });
  await python.loadPackage(installers);
  await python.pyimport("micropip").install.callKwargs(wheel, { deps: false });
  python.runPython(PROGRAM);
  return { pyodide: python.version, kernel: python.runPython("_native.choose_kernel()") };
}

/** SHA-256 of each signal's output, and real-time factors. */
export async function clean(addresses) {
  const reports = [];
  for (const address of addresses) {
    const samples = new Float32Array(await (await fetch(address)).arrayBuffer());
    const begin = performance.now();
    const sha256 = python.globals.get("clean")(samples);
    reports.push({ sha256, samples: samples.length, seconds: (performance.now() - begin) / 1000 });
  }
  return reports;
}
