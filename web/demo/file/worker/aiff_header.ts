// File worker: headers of AIFF, AU and CAF files with plain samples; the twin of py/sordino/files/aiff_header.py.

import { INFO_NAMES } from "../../wav/extras.js";
import {
  type Bytes,
  damaged,
  type Encoding,
  FLOATS,
  Header,
  INTEGERS,
  isPlaceholder,
  LARGEST_KEPT,
  letters,
  long,
  NEAR,
  words,
} from "./pcm_format.js";

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

/** The header of an AIFF file; undefined: another decoder is to try. rejects FileError "damaged" */
export async function aiff(bytes: Bytes, compressed: boolean): Promise<Header | undefined> {
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

/** As aiff(), of an AU file. */
export async function au(bytes: Bytes, head: DataView, little: boolean): Promise<Header | undefined> {
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

/** As aiff(), of a CAF file. */
export async function caf(bytes: Bytes): Promise<Header | undefined> {
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
