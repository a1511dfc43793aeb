// Hands files to the page's processFile and says what came out. To be loaded into the page itself, for its policy counts.

import { processFile } from "/demo/file.js";

async function fetchFile(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return new File([await response.arrayBuffer()], address.split("/").at(-1));
}

async function base64(blob) {
  const reader = new FileReader();
  reader.readAsDataURL(blob);
  await new Promise((resolve) => reader.addEventListener("load", resolve));
  return reader.result.slice(reader.result.indexOf(",") + 1);
}

/** Names of the results that lie in the origin private file system. */
export async function kept() {
  const names = [];
  const root = await navigator.storage.getDirectory();
  for await (const [folder, handle] of root.entries()) {
    for await (const name of handle.keys()) names.push(`${folder}/${name}`);
  }
  return names;
}

async function attempt(run) {
  try {
    return await run();
  } catch (error) {
    return { error: error.name, code: error.code, message: error.message, kept: await kept() };
  }
}

/** Clean the file at an address of the server; the result with its bytes, or the error. */
export function cleanFile(address, options = {}) {
  return attempt(async () => {
    const fractions = [];
    const onProgress = (fraction) => fractions.push(fraction);
    const { clean, release, ...format } = await processFile(await fetchFile(address), { ...options, onProgress });
    const answer = { ...format, name: clean.name, type: clean.type, fractions, bytes: await base64(clean) };
    await release();
    return { ...answer, kept: await kept() };
  });
}

/** Give up as soon as some of the file is done. */
function cancel(file) {
  return attempt(async () => {
    const end = new AbortController();
    const onProgress = (fraction) => {
      if (fraction > 0) end.abort();
    };
    await processFile(file, { signal: end.signal, onProgress });
    return { error: undefined, kept: await kept() };
  });
}

export async function cancelFile(address) {
  return cancel(await fetchFile(address));
}

/** Give up while a decoder is at work that says nothing. */
export function cancelStuck(address) {
  return attempt(async () => {
    const file = await fetchFile(address);
    await processFile(file, { signal: AbortSignal.timeout(500) });
    return { error: undefined, kept: await kept() };
  });
}

/** The file that was chosen in <input id="test">. */
function chosen() {
  return document.querySelector("#test").files[0];
}

export function cancelChosen() {
  return cancel(chosen());
}

/** Clean the chosen file; says where its result can be downloaded from. */
export async function cleanChosen() {
  const { clean, seconds } = await processFile(chosen());
  return { href: URL.createObjectURL(clean), name: clean.name, bytes: clean.size, seconds };
}
