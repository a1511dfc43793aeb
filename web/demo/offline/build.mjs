// Builds the page's service worker, which knows every file of the page by its content.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

const SCRIPT = "service-worker.js";
/** Texts for people who look into the folder; the page does not fetch them. */
const NOT_FETCHED = /\.(md|txt)$/;

/** Path, relative to the folder and with slashes, -> SHA-256 in hexadecimal. */
function hashes(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((file) => relative(folder, join(file.parentPath, file.name)).split(sep).join("/"));
  const kept = paths.filter((path) => !NOT_FETCHED.test(path)).sort();
  return Object.fromEntries(
    kept.map((path) => [
      path,
      createHash("sha256")
        .update(readFileSync(join(folder, path)))
        .digest("hex"),
    ]),
  );
}

/**
 * Write build/demo/service-worker.js; to be called when everything else is there.
 *
 * demo    the page's folder
 * bundle  as in web/build.mjs
 */
export async function buildServiceWorker(demo, bundle) {
  const define = { FILES: JSON.stringify(hashes(demo)) };
  await bundle("demo/offline/worker/service.ts", join(demo, SCRIPT), { format: "iife", minify: true, define });
}
