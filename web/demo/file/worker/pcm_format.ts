// File worker: what headers of files with plain samples have in common: fields, sizes that are guesses, bytes and text; the
// twin of py/sordino/files/pcm_format.py.

import type { WavExtras } from "../../wav/extras.js";
import { FileError } from "../errors.js";

/** A writer that cannot go back announces one of these sizes, less the headers it has in mind. */
const PLACEHOLDERS = [0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
export const NEAR = 0x1_0000;
export const LARGEST_KEPT = 1 << 20;
/** Names that show that the chunk before, of an odd size, ends without its byte of padding. */
const UNPADDED = ["data", "fmt ", "LIST", "fact", "bext", "iXML", "cue ", "smpl", "JUNK", "id3 ", "ds64"];

export type Encoding = "u8" | "s8" | "ulaw" | "alaw" | "s16" | "s24" | "s32" | "f32" | "f64";
export const WIDTHS: Readonly<Record<Encoding, number>> = {
  u8: 1,
  s8: 1,
  ulaw: 1,
  alaw: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
};

export const INTEGERS: Readonly<Record<number, Encoding>> = { 1: "s8", 2: "s16", 3: "s24", 4: "s32" };
export const FLOATS: Readonly<Record<number, Encoding>> = { 4: "f32", 8: "f64" };

/** What the chunks have said so far, and in the end what the file is. */
export class Header {
  sampleRate = 0;
  channels = 0;
  encoding: Encoding | undefined;
  littleEndian = true;
  frames = 0;
  extras: WavExtras = { mask: undefined, tags: {}, chunks: [] };
  /** Where the samples begin, and how many bytes are announced; undefined: until the end. */
  start = 0;
  size: number | undefined;
  /** Nothing but samples comes after the header, whatever size it announces. */
  isLast = false;

  get frameBytes(): number {
    return WIDTHS[this.encoding!] * this.channels;
  }

  /** throws FileError "damaged" where the format has not come, or makes no sense */
  begin(start: number, size: number | undefined): this {
    if (!this.encoding || this.channels < 1 || this.sampleRate < 1) {
      throw damaged(`it announces ${this.channels} channels at ${this.sampleRate} Hz of no known kind`);
    }
    [this.start, this.size] = [start, size];
    return this;
  }
}

export function damaged(what: string): FileError {
  return new FileError("damaged", `the file is damaged at its beginning: ${what}`);
}

/** Bytes of a file, asked for piece by piece. */
export class Bytes {
  readonly #file: Blob;

  constructor(file: Blob) {
    this.#file = file;
  }

  get size(): number {
    return this.#file.size;
  }

  /** rejects FileError "damaged" beyond the end */
  async view(at: number, size: number): Promise<DataView> {
    const bytes = await this.#file.slice(at, at + size).arrayBuffer();
    if (bytes.byteLength < size) throw damaged("it ends before its samples begin");
    return new DataView(bytes);
  }
}

/** Where a RIFF chunk ends whose content of so many bytes ends at a place: its writer may forget the byte of padding. */
export async function afterPadding(bytes: Bytes, at: number, size: number): Promise<number> {
  const isPadded = size % 2 === 1 && !UNPADDED.includes(letters(await bytes.view(at, 4)));
  return at + (isPadded ? 1 : 0);
}

/** Bytes as letters, one each. */
export function letters(view: DataView, at = 0, length = view.byteLength - at): string {
  let text = "";
  for (let i = at; i < Math.min(at + length, view.byteLength); i++) text += String.fromCharCode(view.getUint8(i));
  return text;
}

/** Up to the first zero; UTF-8, else Latin-1. */
export function words(view: DataView, at = 0, length = view.byteLength - at): string {
  const all = new Uint8Array(view.buffer, view.byteOffset + at, Math.max(0, Math.min(length, view.byteLength - at)));
  const end = all.indexOf(0);
  const bytes = end < 0 ? all : all.subarray(0, end);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim();
  } catch {
    return String.fromCharCode(...bytes).trim();
  }
}

export function isPlaceholder(size: number): boolean {
  return size === 0 || PLACEHOLDERS.some((top) => size >= top - NEAR && size <= top + NEAR);
}

export function long(view: DataView, at: number, little: boolean): number {
  return Number(view.getBigUint64(at, little));
}
