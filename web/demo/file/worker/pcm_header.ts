// File worker: headers of files with plain samples, also from a pipe; the twin of py/sordino/pcm_header.py.

import type { WavExtras } from "../../wav/extras.js";
import { INFO_NAMES } from "../../wav/extras.js";
import { FileError } from "../errors.js";

/** A writer that cannot go back announces one of these sizes, less the headers it has in mind. */
const PLACEHOLDERS = [0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
const NEAR = 0x1_0000;
const LARGEST_KEPT = 1 << 20;
/** Names that show that the chunk before, of an odd size, ends without its byte of padding. */
const UNPADDED = ["data", "fmt ", "LIST", "fact", "bext", "iXML", "cue ", "smpl", "JUNK", "id3 ", "ds64"];
const KEPT_CHUNKS = ["bext", "iXML", "axml", "chna", "cue ", "smpl"];
const W64_RIFF = "riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00";
const W64_TAIL = "\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";
/** How a sound file begins that stands behind another one: name, and kinds after the size. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  RIFF: ["WAVE"],
  RIFX: ["WAVE"],
  RF64: ["WAVE"],
  BW64: ["WAVE"],
  FORM: ["AIFF", "AIFC"],
};
const [PCM, FLOAT, ALAW, MULAW, EXTENSIBLE] = [1, 3, 6, 7, 0xfffe];

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
const AU_ENCODINGS: Readonly<Record<number, Encoding>> = {
  1: "ulaw",
  2: "s8",
  3: "s16",
  4: "s24",
  5: "s32",
  6: "f32",
  7: "f64",
  27: "alaw",
};
const AIFC_ENCODINGS: Readonly<Record<string, Encoding | "int">> = {
  NONE: "int",
  twos: "int",
  sowt: "int",
  in24: "s24",
  in32: "s32",
  fl32: "f32",
  FL32: "f32",
  fl64: "f64",
  FL64: "f64",
  alaw: "alaw",
  ALAW: "alaw",
  ulaw: "ulaw",
  ULAW: "ulaw",
  "raw ": "u8",
};
/** Channel layout tags of Core Audio whose order of channels is that of WAV, by their upper half. */
const CAF_SURROUND: Readonly<Record<number, number>> = {
  100: 0x4,
  101: 0x3,
  108: 0x33,
  113: 0x7,
  116: 0x107,
  117: 0x37,
  121: 0x3f,
  124: 0x13f,
  127: 0xff,
  131: 0x103,
  132: 0x33,
  133: 0xb,
  136: 0x10b,
  139: 0x30f,
  142: 0x70f,
};

const INTEGERS: Readonly<Record<number, Encoding>> = { 1: "s8", 2: "s16", 3: "s24", 4: "s32" };
const FLOATS: Readonly<Record<number, Encoding>> = { 4: "f32", 8: "f64" };

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

function damaged(what: string): FileError {
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

/** The header of a file with plain samples; undefined: another decoder is to try. rejects FileError "damaged" */
export async function readHeader(file: Blob): Promise<Header | undefined> {
  const bytes = new Bytes(file);
  if (bytes.size < 16) return undefined;
  const head = await bytes.view(0, 16);
  const [name, kind] = [letters(head, 0, 4), letters(head, 8, 4)];
  if (["RIFF", "RIFX", "RF64", "BW64"].includes(name) && kind === "WAVE") return riff(bytes, name !== "RIFX");
  if (letters(head) === W64_RIFF) return wave64(bytes);
  if (name === "FORM" && (kind === "AIFF" || kind === "AIFC")) return aiff(bytes, kind === "AIFC");
  if (name === ".snd" || name === "dns.") return au(bytes, head, name === "dns.");
  if (name === "caff") return caf(bytes);
  return undefined;
}

function long(view: DataView, at: number, little: boolean): number {
  return Number(view.getBigUint64(at, little));
}

async function riff(bytes: Bytes, little: boolean): Promise<Header | undefined> {
  const header = new Header();
  header.littleEndian = little;
  let longSize: number | undefined;
  for (let at = 12; ; ) {
    const head = await bytes.view(at, 8);
    const [name, size] = [letters(head, 0, 4), head.getUint32(4, little)];
    at += 8;
    if (name === "data") {
      if (longSize !== undefined && size === 0xffff_ffff) {
        return header.begin(at, longSize === 0 || longSize >= 2 ** 63 ? undefined : longSize);
      }
      return header.begin(at, isPlaceholder(size) ? undefined : size);
    }
    if (name === "ds64") longSize = long(await bytes.view(at + 8, 8), 0, true);
    else if (size <= LARGEST_KEPT && !noteChunk(header, name, await bytes.view(at, size))) return undefined;
    at = await afterPadding(bytes, at + size, size);
  }
}

/** Where a RIFF chunk ends whose content of so many bytes ends at a place: its writer may forget the byte of padding. */
async function afterPadding(bytes: Bytes, at: number, size: number): Promise<number> {
  const isPadded = size % 2 === 1 && !UNPADDED.includes(letters(await bytes.view(at, 4)));
  return at + (isPadded ? 1 : 0);
}

/** A chunk of a RIFF file. returns false where another decoder is to try. throws FileError "damaged" */
function noteChunk(header: Header, name: string, content: DataView): boolean {
  const { extras, littleEndian } = header;
  if (name === "fmt ") return waveFormat(header, content);
  if (name === "LIST" && letters(content, 0, 4) === "INFO") Object.assign(extras.tags, info(content, littleEndian));
  else if (littleEndian && (KEPT_CHUNKS.includes(name) || (name === "LIST" && letters(content, 0, 4) === "adtl"))) {
    extras.chunks.push({ name, content: Uint8Array.from(letters(content), (letter) => letter.charCodeAt(0)) });
  }
  return true;
}

function waveFormat(header: Header, content: DataView): boolean {
  const little = header.littleEndian;
  if (content.byteLength < 16) throw damaged(`a format of ${content.byteLength} bytes`);
  let kind = content.getUint16(0, little);
  const [channels, block, bits] = [2, 12, 14].map((at) => content.getUint16(at, little)) as [number, number, number];
  const align = block || channels * Math.ceil(bits / 8);
  if (kind === EXTENSIBLE && content.byteLength >= 40) {
    header.extras.mask = content.getUint32(20, little);
    kind = content.getUint16(24, little);
  }
  const each = channels > 0 && align % channels === 0 ? align / channels : 0;
  const kinds: Record<number, Record<number, Encoding>> = {
    [PCM!]: { ...INTEGERS, 1: "u8" },
    [FLOAT!]: FLOATS,
    [ALAW!]: { 1: "alaw" },
    [MULAW!]: { 1: "ulaw" },
  };
  const encodings = kinds[kind];
  if (!encodings) return false;
  const encoding = encodings[each];
  if (!encoding || bits < 1 || bits > 8 * each || (kind === FLOAT && bits !== 8 * each)) {
    throw damaged(`${channels} channels of ${bits} bits in frames of ${align} bytes`);
  }
  [header.channels, header.sampleRate, header.encoding] = [channels, content.getUint32(4, little), encoding];
  return true;
}

function info(content: DataView, little: boolean): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 4; at + 8 <= content.byteLength; ) {
    const size = content.getUint32(at + 4, little);
    const name = INFO_NAMES[letters(content, at, 4)];
    const text = words(content, at + 8, size);
    if (name && text) found[name] = text;
    at += 8 + size + (size % 2);
  }
  return found;
}

async function wave64(bytes: Bytes): Promise<Header | undefined> {
  const header = new Header();
  for (let at = 40; ; ) {
    const head = await bytes.view(at, 24);
    const [name, kind, size] = [letters(head, 0, 4), letters(head, 4, 12), long(head, 16, true)];
    at += 24;
    if (name === "data" && kind === W64_TAIL) {
      return header.begin(at, size <= 24 || size >= 2 ** 63 - 1 ? undefined : size - 24);
    }
    if (size < 24 || size >= 2 ** 40) throw damaged(`a chunk of ${size} bytes`);
    const known = kind === W64_TAIL && size - 24 <= LARGEST_KEPT;
    if (known && !noteChunk(header, name, await bytes.view(at, size - 24))) return undefined;
    at += Math.ceil((size - 24) / 8) * 8;
  }
}

async function aiff(bytes: Bytes, compressed: boolean): Promise<Header | undefined> {
  const header = new Header();
  header.littleEndian = false;
  const notes: Record<string, string> = { NAME: "title", AUTH: "artist", "(c) ": "copyright", ANNO: "comment" };
  for (let at = 12; ; ) {
    const head = await bytes.view(at, 8);
    const [name, size] = [letters(head, 0, 4), head.getUint32(4)];
    at += 8;
    if (name === "SSND") {
      const offset = (await bytes.view(at, 8)).getUint32(0);
      header.begin(at + 8 + offset, undefined);
      const known = !isPlaceholder(size) && !(size >= 0x7f00_0000 && size <= 0x7f00_0000 + NEAR);
      const whole = header.frames * header.frameBytes;
      if (known) header.size = whole > 0 && whole <= size - 8 ? whole : size - 8;
      return header;
    }
    const content = size <= LARGEST_KEPT ? await bytes.view(at, size) : undefined;
    if (name === "COMM" && content && !aiffCommon(header, content, compressed)) return undefined;
    if (notes[name] && content) header.extras.tags[notes[name]] = words(content);
    at += size + (size % 2);
  }
}

function aiffCommon(header: Header, content: DataView, compressed: boolean): boolean {
  if (content.byteLength < 18) throw damaged(`a format of ${content.byteLength} bytes`);
  header.channels = content.getUint16(0);
  header.frames = content.getUint32(2);
  const bits = content.getUint16(6);
  const shift = 16383 + 63 - (content.getUint16(8) & 0x7fff);
  header.sampleRate = shift >= 0 && shift < 128 ? Math.round(long(content, 10, false) / 2 ** shift) : 0;
  const name = compressed ? letters(content, 18, 4) : "NONE";
  const kind = AIFC_ENCODINGS[name];
  if (!kind) return false;
  header.littleEndian = name === "sowt";
  header.encoding = kind === "int" ? INTEGERS[Math.floor((bits + 7) / 8)] : kind;
  return true;
}

async function au(bytes: Bytes, head: DataView, little: boolean): Promise<Header | undefined> {
  const header = new Header();
  header.littleEndian = little;
  const [offset, size, kind] = [4, 8, 12].map((at) => head.getUint32(at, little)) as [number, number, number];
  const more = await bytes.view(16, 8);
  [header.sampleRate, header.channels] = [more.getUint32(0, little), more.getUint32(4, little)];
  header.encoding = AU_ENCODINGS[kind];
  if (!header.encoding) return undefined;
  if (offset < 24 || offset > LARGEST_KEPT) throw damaged(`samples from byte ${offset} on`);
  const comment = words(await bytes.view(24, offset - 24));
  if (comment && !comment.startsWith("Processed by")) header.extras.tags.comment = comment;
  header.isLast = true;
  return header.begin(offset, isPlaceholder(size) ? undefined : size);
}

async function caf(bytes: Bytes): Promise<Header | undefined> {
  const header = new Header();
  for (let at = 8; ; ) {
    const head = await bytes.view(at, 12);
    const [name, size] = [letters(head, 0, 4), Number(head.getBigInt64(4))];
    at += 12;
    if (name === "data") return header.begin(at + 4, size > 4 ? size - 4 : undefined);
    if (size < 0) throw damaged(`a chunk of ${size} bytes`);
    if (size <= LARGEST_KEPT && !noteCaf(header, name, await bytes.view(at, size))) return undefined;
    at += size;
  }
}

function noteCaf(header: Header, name: string, content: DataView): boolean {
  if (name === "desc" && content.byteLength >= 32) return cafDescription(header, content);
  if (name === "chan" && content.byteLength >= 8 && header.channels > 2) {
    const tag = content.getUint32(0);
    header.extras.mask = tag === 0x1_0000 ? content.getUint32(4) : CAF_SURROUND[tag >>> 16];
  } else if (name === "info") {
    const parts = letters(content, 4).split("\0");
    const known = new Set(Object.values(INFO_NAMES));
    for (let i = 0; i + 1 < parts.length; i += 2) {
      const key = parts[i]!.toLowerCase();
      const raw = Uint8Array.from(parts[i + 1]!, (letter) => letter.charCodeAt(0));
      if (known.has(key) && raw.length > 0) header.extras.tags[key] = words(new DataView(raw.buffer));
    }
  }
  return true;
}

function cafDescription(header: Header, content: DataView): boolean {
  const [rate, kind] = [content.getFloat64(0), letters(content, 8, 4)];
  const [flags, packet, frames, channels] = [12, 16, 20, 24].map((at) => content.getUint32(at)) as [
    number,
    number,
    number,
    number,
  ];
  header.sampleRate = rate > 0 && rate < 1e9 ? Math.round(rate) : 0;
  [header.channels, header.littleEndian] = [channels, false];
  if (kind === "alaw" || kind === "ulaw") {
    header.encoding = kind;
    return true;
  }
  if (kind !== "lpcm" || frames !== 1) return false;
  header.littleEndian = (flags & 2) !== 0;
  header.encoding = (flags & 1 ? FLOATS : INTEGERS)[channels > 0 ? packet / channels : 0];
  return true;
}

/** Take tags and chunks from behind the samples. Returns what sound stands there. */
export async function readBehind(file: Blob, header: Header): Promise<string | undefined> {
  const bytes = new Bytes(file);
  try {
    for (let at = await afterPadding(bytes, header.start + header.size!, header.size!); ; ) {
      const head = await bytes.view(at, 8);
      const [name, size] = [letters(head, 0, 4), head.getUint32(4, true)];
      const kind = name in FORMS ? letters(await bytes.view(at + 8, 4)) : "";
      if (FORMS[name]?.includes(kind)) return "another sound file";
      if (name === "data" && size > 0) return "a second chunk of samples";
      if (!/^[a-zA-Z0-9]+$/.test(name.trim()) || name in FORMS) return undefined;
      if (name !== "fmt " && size <= LARGEST_KEPT) {
        const little = header.littleEndian;
        header.littleEndian = true;
        noteChunk(header, name, await bytes.view(at + 8, size));
        header.littleEndian = little;
      }
      at = await afterPadding(bytes, at + 8 + size, size);
    }
  } catch {
    return undefined; // The end of the file.
  }
}
