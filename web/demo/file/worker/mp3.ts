// File worker: what an MP3 encoder added at the beginning and the end, so that the result is in step with the source.

/** Delay of every MP3 decoder in samples, which encoders count into the padding at the end. */
const DECODER_DELAY = 529;
const ID3_HEADER = 10;
/** The frame with the tag comes first and is short; the tag stands after its header and side information. */
const SEARCHED_BYTES = 4096;
/** Fields of the tag that its flags announce: number of frames, bytes, table of contents, quality. */
const FIELD_BYTES = [4, 4, 100, 4];
/** After the fields: the encoder's name, and 21 bytes from there the two delays of 12 bits. */
const ENCODERS = ["LAME", "Lavc", "Lavf"];
const DELAYS_AT = 21;

/** Samples to leave out at the beginning, and how many there are from there on, where the tag tells. */
export interface Trim {
  readonly skip: number;
  readonly frames: number;
  /** How many are to come at least, or the file lacks its end. */
  readonly promised: number;
}

export const NO_TRIM: Trim = { skip: 0, frames: Number.POSITIVE_INFINITY, promised: 0 };
const [HAS_FRAMES, HAS_BYTES] = [1, 2];
/** Bytes that a file may have beyond those that the tag counts: a tag at its end, or none. */
const SLACK_BYTES = 4096;

/** file: an MP3 file; total: samples that its packets hold. returns NO_TRIM where no encoder tells */
export async function mp3Trim(file: Blob, total: number): Promise<Trim> {
  const head = new Uint8Array(await file.slice(0, ID3_HEADER).arrayBuffer());
  const start = text(head, 0, 3) === "ID3" ? ID3_HEADER + syncSafe(head, 6) : 0;
  const bytes = new Uint8Array(await file.slice(start, start + SEARCHED_BYTES).arrayBuffer());
  const tag = [...bytes.keys()].find((at) => ["Xing", "Info"].includes(text(bytes, at, 4)));
  if (tag === undefined) return NO_TRIM;
  const flags = bytes[tag + 7]!;
  const fields = FIELD_BYTES.reduce((sum, size, bit) => sum + (flags & (1 << bit) ? size : 0), 0);
  const encoder = tag + 8 + fields;
  if (!ENCODERS.includes(text(bytes, encoder, 4))) return NO_TRIM;
  const [high = 0, middle = 0, low = 0] = bytes.subarray(encoder + DELAYS_AT);
  const delay = (high << 4) | (middle >> 4);
  const padding = ((middle & 15) << 8) | low;
  const skip = delay + DECODER_DELAY;
  const promised = flags & HAS_FRAMES ? total - delay - padding - DECODER_DELAY : 0;
  const counted = flags & HAS_BYTES ? number(bytes, tag + 8 + (flags & HAS_FRAMES ? 4 : 0)) : 0;
  // The end is only where the tag says if nothing has been joined to the file.
  const joined = counted > 0 && file.size - start > counted + SLACK_BYTES;
  return { skip, frames: joined ? Number.POSITIVE_INFINITY : total - delay - padding, promised };
}

function number(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

function text(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

/** Four bytes of seven bits. */
function syncSafe(bytes: Uint8Array, at: number): number {
  return bytes.subarray(at, at + 4).reduce((sum, byte) => (sum << 7) | byte, 0);
}
