// Builds the npm package's files (web/dist) and the page (build/demo) from web/src, web/demo, the wasm modules and the weights.
//
//   node web/build.mjs [--wasm build/wasm] [--models py/sordino/models] [--dist web/dist] [--demo build/demo]

import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { buildServiceWorker } from "./demo/offline/build.mjs";
import { modelNames, modelsModule } from "./models.mjs";
import { paramsModule } from "./params.mjs";

const WEB = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(WEB);
const ENGINES = ["relaxed", "simd128"];
const ADAPTERS = ["livekit", "jitsi", "twilio", "100ms", "webrtc"];

/** Where things lie, as absolute paths. */
function folders() {
  const path = (name) => ({ type: "string", default: join(ROOT, name) });
  const options = {
    wasm: path("build/wasm"),
    models: path("py/sordino/models"),
    dist: path("web/dist"),
    demo: path("build/demo"),
  };
  const { values } = parseArgs({ options });
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, resolve(value)]));
}

const PLACES = folders();
const MODELS = modelNames(PLACES.models);

/** Copy a file that another step has built, or say which step. */
function copyBuilt(source, target, step) {
  if (!existsSync(source)) throw new Error(`${relative(ROOT, source)} is missing: ${step}`);
  writeFileSync(target, readFileSync(source));
}

/** Bundle one script. */
function bundle(entry, outfile, options) {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  return build({
    entryPoints: [join(WEB, entry)],
    outfile,
    bundle: true,
    target: "es2022",
    charset: "utf8",
    absWorkingDir: ROOT,
    define: { PROCESSOR_NAME: JSON.stringify(`sordino-${version}`) },
    logLevel: "warning",
    ...options,
  });
}

/** Adapters take errors from the package, so that there is one SordinoError, whichever of our modules they share. */
const shared = {
  name: "shared",
  setup: (own) => own.onResolve({ filter: /\/errors\.js$/ }, () => ({ path: "../sordino.js", external: true })),
};

/** The files of the npm package. */
async function buildPackage({ wasm, models, dist }) {
  writeFileSync(join(WEB, "src/assets/models.ts"), modelsModule(MODELS));
  writeFileSync(
    join(WEB, "src/protocol/params.ts"),
    paramsModule((path) => readFileSync(join(ROOT, path), "utf8")),
  );
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(join(dist, "models"), { recursive: true });
  for (const engine of ENGINES) {
    const name = `sordino.${engine}.wasm`;
    copyBuilt(join(wasm, name), join(dist, name), "build the kernel first (python3 build.py build)");
  }
  for (const model of MODELS) {
    const name = `${model}.sordino`;
    copyBuilt(join(models, name), join(dist, "models", name), "export the model first (python3 build.py build)");
  }
  await bundle("src/sordino.ts", join(dist, "sordino.js"), { format: "esm" });
  await bundle("src/worklet/processor.ts", join(dist, "sordino.worklet.js"), { format: "iife" });
  await bundle("src/worker/frames.ts", join(dist, "sordino.worker.js"), { format: "iife" });
  for (const name of ADAPTERS) {
    const options = { format: "esm", external: ["../sordino.js"], plugins: [shared] };
    await bundle(`src/adapters/${name}.ts`, join(dist, "adapters", `${name}.js`), options);
  }
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  execFileSync(tsc, ["-p", join(WEB, "tsconfig.package.json"), "--outDir", dist], { stdio: "inherit" });
}

/** Scripts of the page, each on a thread of its own: name in build/demo -> source and format. */
const PAGE_SCRIPTS = {
  "main.js": { entry: "demo/main.ts", format: "esm" },
  "painter.js": { entry: "demo/see/painter.worker.ts", format: "iife" },
  "histogram.js": { entry: "demo/measure/histogram.ts", format: "esm" },
  "meter.js": { entry: "demo/measure/meter.worker.ts", format: "iife" },
  "recorder.js": { entry: "demo/worklet/recorder.ts", format: "iife" },
  "file.js": { entry: "demo/file/process.ts", format: "esm" },
  "file.worker.js": { entry: "demo/file/worker/worker.ts", format: "iife" },
  "loudness.js": { entry: "demo/worklet/loudness.ts", format: "iife" },
  "offline.js": { entry: "demo/offline/install.ts", format: "esm" },
};
/** What the page compares itself with, as published on npm. */
const PEERS = ["gtcrn.wasm", "rnnoise.wasm", "rnnoise_simd.wasm", "gtcrnWorklet.js", "rnnoiseWorklet.js"];

/** Files of the page that are shipped as they are. */
function isPageFile(path) {
  return statSync(path).isDirectory() ? !/__pycache__/.test(path) : !/\.(ts|py|mjs)$|tsconfig\.json$/.test(path);
}

/** The page: it imports the package's files as they are shipped, from the folder sordino/ beside it. */
async function buildDemo({ dist, demo }) {
  rmSync(demo, { recursive: true, force: true });
  mkdirSync(demo, { recursive: true });
  const shipped = {
    name: "shipped",
    setup: (own) => {
      own.onResolve({ filter: /^sordino$/ }, () => ({ path: "./sordino/sordino.js", external: true }));
      own.onResolve({ filter: /\/file\/process\.js$/ }, () => ({ path: "./file.js", external: true }));
      own.onResolve({ filter: /\/histogram\.js$/ }, () => ({ path: "./histogram.js", external: true }));
    },
  };
  for (const [name, { entry, format }] of Object.entries(PAGE_SCRIPTS)) {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const define = { VERSION: JSON.stringify(version) };
    await bundle(entry, join(demo, name), { format, define, minify: true, plugins: [shipped] });
  }
  cpSync(join(WEB, "demo"), demo, { recursive: true, filter: isPageFile });
  removeEmptyFolders(demo);
  cpSync(dist, join(demo, "sordino"), { recursive: true, filter: (path) => !path.endsWith(".d.ts") });
  const require = createRequire(import.meta.url);
  mkdirSync(join(demo, "peers"));
  for (const name of PEERS) {
    writeFileSync(join(demo, "peers", name), readFileSync(require.resolve(`@sapphi-red/web-noise-suppressor/${name}`)));
  }
  writeFileSync(join(demo, "chart.css"), readFileSync(require.resolve("uplot/dist/uPlot.min.css")));
}

/** Folders that held nothing but source. */
function removeEmptyFolders(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) continue;
    removeEmptyFolders(path);
    if (readdirSync(path).length === 0) rmdirSync(path);
  }
}

try {
  await buildPackage(PLACES);
  await buildDemo(PLACES);
  await buildServiceWorker(PLACES.demo, bundle);
} catch (error) {
  console.error(`web/build.mjs: ${error.message}`);
  process.exitCode = 1;
}
