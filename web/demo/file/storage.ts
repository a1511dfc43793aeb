// Page thread: names for results in the origin private file system, and their end.

import { FOLDER } from "./messages.js";

/** A name that is this page's alone until it is released. */
export interface Entry {
  readonly name: string;
  /** Delete the file, if there is one. */
  release(): Promise<void>;
}

function lockOf(name: string): string {
  return `${FOLDER}/${name}`;
}

/** Delete what pages left that are no more: each living page holds a lock per result. */
async function sweep(folder: FileSystemDirectoryHandle): Promise<void> {
  const { held } = await navigator.locks.query();
  const alive = new Set(held?.map((lock) => lock.name));
  for await (const name of folder.keys()) {
    if (!alive.has(lockOf(name))) await folder.removeEntry(name).catch(() => undefined);
  }
}

/** Lock a name until the returned function is called, or the page ends. rejects DOMException where that is forbidden */
function hold(name: string): Promise<() => void> {
  return new Promise((held, refused) => {
    navigator.locks.request(lockOf(name), () => new Promise<void>((free) => held(free))).catch(refused);
  });
}

/** A fresh entry, or undefined where the browser has no such file system (private windows, old browsers). */
export async function claimEntry(): Promise<Entry | undefined> {
  try {
    const name = `${crypto.randomUUID()}.wav`;
    const free = await hold(name);
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER, { create: true });
    await sweep(folder);
    const release = async () => {
      await folder.removeEntry(name).catch(() => undefined);
      free();
    };
    return { name, release };
  } catch {
    return undefined;
  }
}
