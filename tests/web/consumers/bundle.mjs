// Builds probe.js with one bundler: node bundle.mjs vite|webpack|rollup|esbuild. The page goes to out/<bundler>.

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

const [, , bundler] = process.argv;
const out = resolve("out", bundler);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const bundlers = {
  async vite() {
    const { build } = await import("vite");
    await build({ base: "./", logLevel: "warn", build: { outDir: out } });
  },
  async webpack() {
    const { default: webpack } = await import("webpack");
    const config = { mode: "production", entry: "./probe.js", output: { path: out, filename: "probe.js" } };
    await new Promise((done, fail) => {
      webpack({ ...config, performance: { hints: false } }, (error, stats) => {
        if (error || stats.hasErrors()) fail(error ?? new Error(stats.toString("errors-only")));
        else done();
      });
    });
  },
  async rollup() {
    const { rollup } = await import("rollup");
    const { nodeResolve } = await import("@rollup/plugin-node-resolve");
    const { importMetaAssets } = await import("@web/rollup-plugin-import-meta-assets");
    const built = await rollup({ input: "probe.js", plugins: [nodeResolve(), importMetaAssets()] });
    await built.write({ dir: out, format: "es" });
  },
  async esbuild() {
    const { build } = await import("esbuild");
    const { default: metaUrl } = await import("@chialab/esbuild-plugin-meta-url");
    await build({ entryPoints: ["probe.js"], bundle: true, format: "esm", outdir: out, plugins: [metaUrl()] });
  },
};

await bundlers[bundler]();
if (bundler !== "vite") cpSync("index.html", join(out, "index.html"));
