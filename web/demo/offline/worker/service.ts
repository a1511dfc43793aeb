// Service worker: keeps the files of this build and answers from them. It never asks another origin.

/** Path relative to this script -> SHA-256 in hexadecimal, filled in by web/build.mjs. */
declare const FILES: Readonly<Record<string, string>>;

const scope = globalThis as unknown as ServiceWorkerGlobalScope;
const CACHE = "sordino";
const FOLDER_PAGE = "index.html";

/** Under what a file is kept: its content is part of the address. */
function keyOf(path: string): string {
  return new URL(`${path}?sha256=${FILES[path]}`, scope.registration.scope).href;
}

async function hash(bytes: ArrayBuffer): Promise<string> {
  return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** Fetch a file unless it is there from an earlier build. rejects  Error when it is not the one of this build */
async function keep(cache: Cache, path: string): Promise<void> {
  const key = keyOf(path);
  if (await cache.match(key)) return;
  const response = await fetch(new URL(path, scope.registration.scope), { cache: "no-cache" });
  if (!response.ok) throw new Error(`${path}: the server answered ${response.status}`);
  if ((await hash(await response.clone().arrayBuffer())) !== FILES[path])
    throw new Error(`${path} is of another build`);
  await cache.put(key, response);
}

/** One after the other, so that the page's own requests come first. */
async function keepAll(): Promise<void> {
  const cache = await caches.open(CACHE);
  for (const path of Object.keys(FILES)) await keep(cache, path);
}

/** Delete what earlier builds kept. */
async function forgetOld(): Promise<void> {
  const cache = await caches.open(CACHE);
  const current = new Set(Object.keys(FILES).map(keyOf));
  for (const { url } of await cache.keys()) if (!current.has(url)) await cache.delete(url);
  await scope.clients.claim();
}

/** The kept file, or what the network says if it is gone. */
async function answer(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(keyOf(path))) ?? fetch(request);
}

scope.addEventListener("install", (event) => event.waitUntil(keepAll()));
scope.addEventListener("activate", (event) => event.waitUntil(forgetOld()));
scope.addEventListener("fetch", (event) => {
  const { href } = new URL(event.request.url);
  const base = scope.registration.scope;
  if (event.request.method !== "GET" || !href.startsWith(base)) return;
  const path = new URL(href).pathname.slice(new URL(base).pathname.length) || FOLDER_PAGE;
  if (path in FILES) event.respondWith(answer(event.request, path));
});
