// Page thread and file worker: samples of full scale 1 become a WAV file, to the byte as py/sordino/wav_file.py writes it.

import type { Subtype, WavExtras } from "./extras.js";
import { INFO_NAMES } from "./extras.js";
import type { Sink } from "./sink.js";

export interface WavFormat {
  readonly sampleRate: number;
  readonly channels: number;
  readonly subtype: Subtype;
  readonly extras: WavExtras;
}

/** The sizes in the header have 32 bits. */
export const LARGEST_BYTES = 0xf000_0000;
const BITS: Readonly<Record<Subtype, number>> = { PCM_16: 16, PCM_24: 24, PCM_32: 32, FLOAT: 32, DOUBLE: 64 };
const [PCM, FLOAT, EXTENSIBLE] = [1, 3, 0xfffe];
const SUBFORMAT_TAIL = "\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";
const BUFFER_BYTES = 1 << 20;
/** Fields of the broadcast extension that are kept as tags elsewhere, and their bytes. */
const BEXT: readonly (readonly [string, number])[] = [
  ["description", 256],
  ["originator", 32],
  ["originator_reference", 32],
  ["origination_date", 10],
  ["origination_time", 8],
];
const [TIME_REFERENCE_AT, BEXT_BYTES] = [338, 602];

type Bytes = Uint8Array<ArrayBuffer>;

function joined(parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function ascii(text: string): Bytes {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function numbers(...values: readonly (readonly [number, 2 | 4])[]): Bytes {
  const bytes = new Uint8Array(values.reduce((sum, [, size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, size] of values) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

function chunk(name: string, content: Bytes): Bytes {
  return joined([ascii(name), numbers([content.length, 4]), content, new Uint8Array(content.length % 2)]);
}

/** A broadcast extension from tags; a time reference that is no number is 0. */
function bext(tags: Readonly<Record<string, string>>): Bytes {
  const content = new Uint8Array(BEXT_BYTES);
  let at = 0;
  for (const [name, size] of BEXT) {
    content.set(new TextEncoder().encode(tags[name] ?? "").subarray(0, size), at);
    at += size;
  }
  const reference = tags.time_reference ?? "";
  const ticks = /^\d+$/.test(reference) ? BigInt(reference) : 0n;
  new DataView(content.buffer).setBigUint64(TIME_REFERENCE_AT, ticks, true);
  return content;
}

/** All from the beginning of the file to the samples; frames: how many there are. */
export function wavStart({ sampleRate, channels, subtype, extras }: WavFormat, frames: number): Bytes {
  const bits = BITS[subtype];
  const frameBytes = (channels * bits) / 8;
  const kind = subtype === "FLOAT" || subtype === "DOUBLE" ? FLOAT! : PCM!;
  const { mask, tags, chunks } = extras;
  const outer = mask === undefined ? kind : EXTENSIBLE!;
  const format = [
    numbers([outer, 2], [channels, 2], [sampleRate, 4], [sampleRate * frameBytes, 4], [frameBytes, 2], [bits, 2]),
  ];
  if (mask !== undefined) format.push(numbers([22, 2], [bits, 2], [mask, 4], [kind, 2]), ascii(SUBFORMAT_TAIL));
  const parts = [chunk("fmt ", joined(format))];
  if (kind === FLOAT) parts.push(chunk("fact", numbers([frames, 4])));
  const hasBext = chunks.some(({ name }) => name === "bext");
  if (tags.time_reference !== undefined && !hasBext) parts.push(chunk("bext", bext(tags)));
  for (const { name, content } of chunks) parts.push(chunk(name, content));
  const info = Object.entries(INFO_NAMES).filter(([, key]) => tags[key]);
  const texts = info.map(([name, key]) => chunk(name, new TextEncoder().encode(`${tags[key]}\0`)));
  if (texts.length > 0) parts.push(chunk("LIST", joined([ascii("INFO"), ...texts])));
  const head = joined(parts);
  const data = frames * frameBytes;
  const size = 4 + head.length + 8 + data + (data % 2);
  return joined([ascii("RIFF"), numbers([size, 4]), ascii("WAVE"), head, ascii("data"), numbers([data, 4])]);
}

/** Of a sound of which nothing else is known. */
export const NO_EXTRAS: WavExtras = { mask: undefined, tags: {}, chunks: [] };

/** Writes frames to a sink, a megabyte at a time. */
export class WavWriter {
  readonly #format: WavFormat;
  readonly #sink: Sink;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  #fill = 0;
  #frames = 0;

  /** sink: has not been written to */
  constructor(sink: Sink, format: WavFormat) {
    this.#sink = sink;
    this.#format = format;
    sink.begin(wavStart(format, 0).length);
  }

  get frames(): number {
    return this.#frames;
  }

  /** Of samples. */
  get bytes(): number {
    return (this.#frames * this.#format.channels * BITS[this.#format.subtype]) / 8;
  }

  /** Append the frames from..to of [channels][...] samples. throws what the sink throws */
  write(planes: readonly Float32Array[], from: number, to: number): void {
    const { channels, subtype } = this.#format;
    const size = BITS[subtype] / 8;
    for (let i = from; i < to; i++) {
      if (this.#fill + channels * size > BUFFER_BYTES) this.#flush();
      for (let c = 0; c < channels; c++) this.#put(planes[c]![i]!, subtype, size);
    }
    this.#frames += to - from;
  }

  /** The whole file. rejects what the sink rejects */
  finish(): Promise<Blob> {
    if (this.bytes % 2 === 1) this.#buffer[this.#fill++] = 0;
    this.#flush();
    return this.#sink.finish(wavStart(this.#format, this.#frames));
  }

  /** Integers are rounded and clipped, floats are left alone. */
  #put(sample: number, subtype: Subtype, size: number): void {
    const at = this.#fill;
    this.#fill += size;
    if (subtype === "FLOAT") this.#view.setFloat32(at, sample, true);
    else if (subtype === "DOUBLE") this.#view.setFloat64(at, sample, true);
    else {
      const top = 2 ** (8 * size - 1);
      const whole = Math.max(-top, Math.min(top - 1, Math.floor(sample * top + 0.5)));
      for (let byte = 0; byte < size; byte++) this.#buffer[at + byte] = whole >> (8 * byte);
    }
  }

  #flush(): void {
    this.#sink.append(this.#buffer.subarray(0, this.#fill));
    this.#fill = 0;
  }
}
