// Serves the probe by Vite's dev server, not built: node serve.mjs vite|vite7 PAGE_FOLDER. Prints the page's address.

import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

const [, , name, root] = process.argv;
mkdirSync(root, { recursive: true });
const page = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>';
writeFileSync(resolve(root, "index.html"), page);
writeFileSync(resolve(root, "main.js"), 'import "../../probe.js";\n');
const { createServer } = await import(name);
// What the readme tells users of Vite before 8.
const optimizeDeps = { force: true, ...(name === "vite7" && { exclude: ["sordino"] }) };
const server = await createServer({
  root,
  configFile: false,
  cacheDir: resolve(root, ".vite"),
  logLevel: "warn",
  optimizeDeps,
  server: { host: "127.0.0.1", port: 0, hmr: false, fs: { allow: [process.cwd()] } },
});
await server.listen();
console.log(`http://127.0.0.1:${server.httpServer.address().port}/`);
