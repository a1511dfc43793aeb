// File worker: Ogg files that are chains of several, one behind the other; the twin of what py/sordino/container_structure.py does.

const HEAD_BYTES = 27;
const WINDOW_BYTES = 1 << 20;
const [FIRST, LAST] = [2, 4];

/** What an Ogg file consists of. */
export interface Chain {
  /** Each is an Ogg file of its own. */
  readonly links: readonly Blob[];
  /** What is missing at the end, if anything is. */
  readonly fault: string | undefined;
}

/** undefined: no Ogg file */
export async function chainOf(file: Blob): Promise<Chain | undefined> {
  let [window, from] = [new Uint8Array(), 0];
  const bytes = async (at: number, size: number): Promise<Uint8Array> => {
    if (at < from || at + size > from + window.length) {
      window = new Uint8Array(await file.slice(at, at + WINDOW_BYTES).arrayBuffer());
      from = at;
    }
    return window.subarray(at - from, at - from + size);
  };
  const starts: number[] = [];
  let [at, page, flags, wasFirst] = [0, 0, 0, false];
  while (at < file.size) {
    const head = await bytes(at, HEAD_BYTES);
    if (!isPage(head)) {
      if (at === 0) return undefined;
      const next = await nextPage(bytes, at, file.size);
      if (next === undefined) break;
      at = next;
      continue;
    }
    page = at;
    flags = head[5]!;
    const segments = head[26]!;
    const isFirst = (flags & FIRST) !== 0;
    if (isFirst && !wasFirst) starts.push(at);
    wasFirst = isFirst;
    const sizes = await bytes(at + HEAD_BYTES, segments);
    at += HEAD_BYTES + segments + sizes.reduce((sum, size) => sum + size, 0);
  }
  const cut = at > file.size ? "its last page is cut" : flags & LAST ? undefined : "it has no last page";
  const end = at > file.size ? page : file.size;
  return { links: starts.map((start, i) => file.slice(start, starts[i + 1] ?? end)), fault: cut };
}

function isPage(head: Uint8Array): boolean {
  return head.length === HEAD_BYTES && String.fromCharCode(...head.subarray(0, 4)) === "OggS";
}

/** Where the next page begins after a place where none does. */
async function nextPage(
  bytes: (at: number, size: number) => Promise<Uint8Array>,
  from: number,
  end: number,
): Promise<number | undefined> {
  for (let at = from + 1; at + HEAD_BYTES <= end; at++) if (isPage(await bytes(at, HEAD_BYTES))) return at;
  return undefined;
}
