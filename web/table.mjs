// Prints what the npm package weighs and how long it delays, as Markdown tables: node web/table.mjs

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import { modelNames } from "./models.mjs";

const WEB = dirname(fileURLToPath(import.meta.url));
const FILES = ["sordino.js", "sordino.worklet.js", "sordino.worker.js", "sordino.relaxed.wasm", "sordino.simd128.wasm"];
const MODELS = modelNames(join(dirname(WEB), "py/sordino/models")).map((name) => `models/${name}.sordino`);
const RATES = [8_000, 16_000, 44_100, 48_000, 96_000];
const QUANTA = [128, 256, 480];

/** The arithmetic of the package's delays, and the constants it takes. */
async function schedule() {
  const contents = 'export * from "./worklet/schedule.ts"; export * from "./protocol/params.ts";';
  const stdin = { contents, resolveDir: join(WEB, "src") };
  const { outputFiles } = await build({ stdin, bundle: true, write: false, format: "esm" });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line), ""].join("\n");
}

const kilobytes = (bytes) => (bytes / 1000).toFixed(1);
const sizes = [...FILES, ...MODELS].map((name) => {
  const bytes = readFileSync(join(WEB, "dist", name));
  return [`\`${name}\``, kilobytes(bytes.length), kilobytes(brotliCompressSync(bytes).length)];
});
const { chainDelays, HOP, MAX_LOOK_AHEAD, outputPadding } = await schedule();
/** Latency of the kernel with the deepest look-ahead, samples at 48 kHz: one hop of overlap, and the frames ahead. */
const KERNEL = (1 + MAX_LOOK_AHEAD) * HOP;
const latencies = RATES.map((rate) => [
  `${rate} Hz`,
  ...QUANTA.map((quantum) => {
    const samples = outputPadding(rate, quantum, false) + chainDelays(rate, KERNEL).total;
    return `${samples} = ${((1000 * samples) / rate).toFixed(1)} ms`;
  }),
]);
console.log(table(["file", "kB", "kB over the wire (brotli)"], sizes));
console.log(table(["context", ...QUANTA.map((quantum) => `quantum ${quantum}`)], latencies));
