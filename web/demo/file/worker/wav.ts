// File worker: samples of full scale 1 become a WAV file, to the byte as libsndfile writes it.

import type { Sink } from "./sink.js";

/** Bits per sample of the result. */
export type Depth = 16 | 24;

export interface WavFormat {
  readonly sampleRate: number;
  readonly channels: number;
  readonly depth: Depth;
}

export const HEADER_BYTES = 44;
/** The sizes in the header have 32 bits; libsndfile's limit leaves some room. */
export const LARGEST_BYTES = 0xf000_0000;

const FORMAT_CHUNK_BYTES = 16;
const PCM = 1;
const BUFFER_BYTES = 1 << 20;
const FULL_SCALE = 2 ** 31;

function put(view: DataView, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i));
}

/** The first 44 bytes of a file of `frames` frames. */
export function wavHeader({ sampleRate, channels, depth }: WavFormat, frames: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const frameBytes = (channels * depth) / 8;
  const dataBytes = frames * frameBytes;
  put(view, 0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes + (dataBytes % 2), true);
  put(view, 8, "WAVEfmt ");
  view.setUint32(16, FORMAT_CHUNK_BYTES, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * frameBytes, true);
  view.setUint16(32, frameBytes, true);
  view.setUint16(34, depth, true);
  put(view, 36, "data");
  view.setUint32(40, dataBytes, true);
  return bytes;
}

/** A sample as 32 bits, clipped; its upper bits are the result. */
function quantise(sample: number): number {
  const scaled = sample * FULL_SCALE;
  if (scaled >= FULL_SCALE - 1) return FULL_SCALE - 1;
  return scaled <= -FULL_SCALE ? -FULL_SCALE : Math.round(scaled);
}

/** Writes frames to a sink, a megabyte at a time. */
export class WavWriter {
  readonly #format: WavFormat;
  readonly #sink: Sink;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #fill = 0;
  #frames = 0;

  constructor(sink: Sink, format: WavFormat) {
    this.#sink = sink;
    this.#format = format;
  }

  get frames(): number {
    return this.#frames;
  }

  /** Of samples. */
  get bytes(): number {
    return (this.#frames * this.#format.channels * this.#format.depth) / 8;
  }

  /** Append the frames from..to of [channels][...] samples. throws what the sink throws */
  write(planes: readonly Float32Array[], from: number, to: number): void {
    const { channels, depth } = this.#format;
    const frameBytes = (channels * depth) / 8;
    for (let i = from; i < to; i++) {
      if (this.#fill + frameBytes > BUFFER_BYTES) this.#flush();
      for (let c = 0; c < channels; c++) this.#put(quantise(planes[c]![i]!), depth);
    }
    this.#frames += to - from;
  }

  /** The whole file. rejects what the sink rejects */
  finish(): Promise<Blob> {
    if (this.bytes % 2 === 1) this.#put(0, 8);
    this.#flush();
    return this.#sink.finish(wavHeader(this.#format, this.#frames));
  }

  /** The upper bits of a 32-bit sample, lowest byte first. */
  #put(sample: number, bits: number): void {
    for (let shift = 32 - bits; shift < 32; shift += 8) this.#buffer[this.#fill++] = sample >> shift;
  }

  #flush(): void {
    this.#sink.append(this.#buffer.subarray(0, this.#fill));
    this.#fill = 0;
  }
}
