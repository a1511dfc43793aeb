// File worker: headers of RIFF files with plain samples: WAV (RIFF, RIFX, RF64, BW64) and Wave64, with their tags and
// chunks; the twin of py/sordino/files/riff_header.py.

import { INFO_NAMES } from "../../wav/extras.js";
import {
  afterPadding,
  Bytes,
  damaged,
  type Encoding,
  FLOATS,
  Header,
  INTEGERS,
  isPlaceholder,
  LARGEST_KEPT,
  letters,
  long,
  words,
} from "./pcm_format.js";

const KEPT_CHUNKS = ["bext", "iXML", "axml", "chna", "cue ", "smpl"];
export const W64_RIFF = "riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00";
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

/** The header of a RIFF file; undefined: another decoder is to try. rejects FileError "damaged" */
export async function riff(bytes: Bytes, little: boolean): Promise<Header | undefined> {
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

/** As riff(), of a Wave64 file. */
export async function wave64(bytes: Bytes): Promise<Header | undefined> {
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
