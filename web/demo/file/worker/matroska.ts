// File worker: Matroska and WebM files that end within an element, as a recorder leaves them that was stopped halfway,
// become files that end with the last whole one.

const [EBML, SEGMENT, CLUSTER] = [0x1a45dfa3, 0x18538067, 0x1f43b675];
const WINDOW_BYTES = 1 << 20;
const NUMBER_BYTES = 8;

/** A number of EBML; value undefined: not known. */
interface Numeral {
  readonly value: number | undefined;
  readonly bytes: number;
}

/** An element that says that it is longer than the file: where its size stands, and where its content begins. */
interface Overlong {
  readonly sizeAt: number;
  readonly bytes: number;
  readonly start: number;
}

/** returns the file, without what is cut, and what is missing; undefined: it is whole, or no such file */
export async function mended(file: Blob): Promise<{ whole: Blob; fault: string } | undefined> {
  const source = new Source(file);
  if ((await source.number(0, true))?.value !== EBML) return undefined;
  const overlong: Overlong[] = [];
  let [at, missing] = [0, 0];
  while (at < file.size) {
    const name = await source.number(at, true);
    const size = name && (await source.number(at + name.bytes, false));
    if (!name || !size) break;
    const start = at + name.bytes + size.bytes;
    const isParent = name.value === SEGMENT || name.value === CLUSTER;
    const end = size.value === undefined ? undefined : start + size.value;
    if (end !== undefined && end <= file.size) {
      at = end;
      continue;
    }
    if (end !== undefined) missing = Math.max(missing, end - file.size);
    if (!isParent) break;
    if (end !== undefined) overlong.push({ sizeAt: at + name.bytes, bytes: size.bytes, start });
    at = start;
  }
  if (at >= file.size && missing === 0) return undefined;
  return { whole: patched(file, overlong, at), fault: `${Math.max(missing, file.size - at)} bytes are missing` };
}

/** The file up to its new end, with the sizes that follow from it. */
function patched(file: Blob, overlong: readonly Overlong[], end: number): Blob {
  const parts: BlobPart[] = [];
  let from = 0;
  for (const { sizeAt, bytes, start } of overlong) {
    const numeral = new Uint8Array(bytes);
    let rest = end - start;
    for (let i = bytes - 1; i >= 0; i--, rest = Math.floor(rest / 256)) numeral[i] = rest % 256;
    numeral[0]! |= 1 << (NUMBER_BYTES - bytes);
    parts.push(file.slice(from, sizeAt), numeral);
    from = start;
  }
  return new Blob([...parts, file.slice(from, end)]);
}

class Source {
  readonly #file: Blob;
  #window = new Uint8Array();
  #from = 0;

  constructor(file: Blob) {
    this.#file = file;
  }

  /** keepMark: as names are read. undefined: the file ends */
  async number(at: number, keepMark: boolean): Promise<Numeral | undefined> {
    const bytes = await this.#read(at);
    const first = bytes[0];
    if (!first) return undefined;
    const length = Math.clz32(first) - 23;
    if (bytes.length < length) return undefined;
    let value = keepMark ? first : first & ((1 << (NUMBER_BYTES - length)) - 1);
    let isUnknown = value === (1 << (NUMBER_BYTES - length)) - 1;
    for (const byte of bytes.subarray(1, length)) {
      value = value * 256 + byte;
      isUnknown &&= byte === 0xff;
    }
    return { value: isUnknown && !keepMark ? undefined : value, bytes: length };
  }

  async #read(at: number): Promise<Uint8Array> {
    if (at < this.#from || at + NUMBER_BYTES > this.#from + this.#window.length) {
      this.#window = new Uint8Array(await this.#file.slice(at, at + WINDOW_BYTES).arrayBuffer());
      this.#from = at;
    }
    return this.#window.subarray(at - this.#from, at - this.#from + NUMBER_BYTES);
  }
}
