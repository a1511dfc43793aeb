// File worker: plain samples by the header before them, a second at a time; the twin of py/sordino/files/pcm.py.

import type { Subtype } from "../../wav/extras.js";
import type { Encoding, Header } from "./pcm_format.js";
import { readHeader } from "./pcm_header.js";
import { readBehind } from "./riff_header.js";
import type { Block, Sound } from "./sound.js";

const WRAP = 2 ** 32;
const SUBTYPES: Readonly<Partial<Record<Encoding, Subtype>>> = {
  s24: "PCM_24",
  s32: "PCM_32",
  f32: "FLOAT",
  f64: "DOUBLE",
};

function alaw(byte: number): number {
  const code = byte ^ 0x55;
  const [exponent, mantissa] = [(code >> 4) & 7, code & 15];
  const size = exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1);
  return (code & 0x80 ? size : -size) / 32768;
}

function mulaw(byte: number): number {
  const code = byte ^ 0xff;
  const size = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
  return (code & 0x80 ? -size : size) / 32768;
}

/** One sample of full scale 1. */
function reader(encoding: Encoding, little: boolean): (view: DataView, at: number) => number {
  switch (encoding) {
    case "u8":
      return (view, at) => (view.getUint8(at) - 128) / 128;
    case "s8":
      return (view, at) => view.getInt8(at) / 128;
    case "ulaw":
      return (view, at) => mulaw(view.getUint8(at));
    case "alaw":
      return (view, at) => alaw(view.getUint8(at));
    case "s16":
      return (view, at) => view.getInt16(at, little) / 2 ** 15;
    case "s24":
      return (view, at) =>
        ((view.getInt8(at + (little ? 2 : 0)) << 16) |
          (view.getUint8(at + 1) << 8) |
          view.getUint8(at + (little ? 0 : 2))) /
        2 ** 23;
    case "s32":
      return (view, at) => view.getInt32(at, little) / 2 ** 31;
    case "f32":
      return (view, at) => view.getFloat32(at, little);
    case "f64":
      return (view, at) => view.getFloat64(at, little);
  }
}

/** undefined: no file with plain samples. rejects FileError "damaged" */
export async function openPcm(file: File): Promise<Sound | undefined> {
  const header = await readHeader(file);
  if (!header) return undefined;
  const rest = file.size - header.start;
  const announced = header.size;
  if (announced === undefined || (rest > announced && (rest - announced) % WRAP === 0)) header.size = rest;
  else if (announced < rest && header.isLast) header.size = rest;
  const behind = announced !== undefined && header.size! < rest ? await readBehind(file, header) : undefined;
  const faults = behind ? [`it is followed by ${behind}, which is left out`] : [];
  const { sampleRate, channels, frameBytes, encoding, extras } = header;
  return {
    format: { sampleRate, channels, seconds: Math.min(rest, header.size!) / frameBytes / sampleRate },
    subtype: SUBTYPES[encoding!] ?? "PCM_16",
    extras,
    faults,
    decodable: true,
    blocks: () => blocks(file, header, announced === undefined, faults),
    close: () => undefined,
  };
}

async function* blocks(file: File, header: Header, open: boolean, faults: string[]): AsyncGenerator<Block> {
  const { sampleRate, channels, frameBytes, start } = header;
  const size = header.size!;
  const there = Math.min(size, file.size - start);
  const take = reader(header.encoding!, header.littleEndian);
  const bytes = frameBytes / channels;
  const whole = Math.floor(there / frameBytes);
  for (let done = 0; done < whole; done += sampleRate) {
    const frames = Math.min(sampleRate, whole - done);
    const at = start + done * frameBytes;
    const view = new DataView(await file.slice(at, at + frames * frameBytes).arrayBuffer());
    const planes = Array.from({ length: channels }, () => new Float32Array(frames));
    for (let i = 0, from = 0; i < frames; i++) {
      for (let c = 0; c < channels; c++, from += bytes) planes[c]![i] = take(view, from);
    }
    yield { planes, frames, sampleRate };
  }
  const promised = Math.floor(size / frameBytes);
  if (!open && whole < promised) faults.push(`${whole} of the ${promised} samples that it announces are there`);
  else if (open && there % frameBytes > 0) faults.push("it ends within a sample");
}
