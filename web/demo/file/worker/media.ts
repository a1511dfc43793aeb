// File worker: any audio or video file, demultiplexed and decoded piece by piece.

import {
  ADTS,
  type AudioSample,
  AudioSampleSink,
  BlobSource,
  EncodedPacketSink,
  FLAC,
  Input,
  type InputAudioTrack,
  MATROSKA,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  QTFF,
  UnsupportedInputFormatError,
  WAVE,
  WEBM,
} from "mediabunny";
import type { Subtype } from "../../wav/extras.js";
import { FileError } from "../errors.js";
import { Converter, type Shape } from "./convert.js";
import { mended } from "./matroska.js";
import { mp3Trim, NO_TRIM, type Trim } from "./mp3.js";
import { chainOf } from "./ogg.js";
import { openPcm } from "./pcm.js";
import type { Block, Sound } from "./sound.js";
import { bitsOf, maskOf, tagsOf } from "./tags.js";

const FORMATS = [WAVE, MP3, MP4, QTFF, WEBM, MATROSKA, OGG, FLAC, ADTS, MPEG_TS];
const CACHE_BYTES = 4 << 20;
/** A hole in the sound that is longer than this becomes silence, so that the result stays in step with a picture. */
const HOLE_S = 0.1;

/** signal: ends everything. rejects FileError "not-audio", "no-audio-track" or "damaged" */
export async function openMedia(file: File, signal: AbortSignal): Promise<Sound> {
  if (file.size === 0) throw new FileError("not-audio", `${file.name} is empty`);
  const plain = await openPcm(file);
  if (plain) return plain;
  const chain = await chainOf(file);
  if (!chain) {
    const less = await mended(file);
    const sound = await openCoded(file.name, less?.whole ?? file, signal);
    if (less) sound.faults.push(less.fault);
    return sound;
  }
  const [first, ...more] = chain.links;
  const sound = await openCoded(file.name, first!, signal);
  if (more.length === 0) {
    if (chain.fault) sound.faults.push(chain.fault);
    return sound;
  }
  const next = (link: Blob) => openCoded(file.name, link, signal);
  return { ...sound, blocks: () => joined(sound, more, next, chain.fault) };
}

/** One link after the other, in the rate and the channels of the first. */
async function* joined(
  sound: Sound,
  more: readonly Blob[],
  open: (link: Blob) => Promise<Sound>,
  fault: string | undefined,
): AsyncGenerator<Block> {
  let shape: Shape | undefined;
  for (const link of [undefined, ...more]) {
    const part = link ? await open(link) : sound;
    let converter: Converter | undefined;
    for await (const block of part.blocks()) {
      shape ??= { sampleRate: block.sampleRate, channels: block.planes.length };
      if (block.sampleRate === shape.sampleRate && block.planes.length === shape.channels) yield block;
      else {
        converter ??= new Converter(block.sampleRate, shape);
        yield converter.take(block);
      }
    }
    if (converter) yield converter.finish();
    if (part !== sound) {
      sound.faults.push(...part.faults);
      part.close();
    }
  }
  if (fault) sound.faults.push(fault);
}

/** rejects FileError "not-audio", "no-audio-track" or "damaged" */
async function openCoded(name: string, file: Blob, signal: AbortSignal): Promise<Sound> {
  const input = new Input({ formats: FORMATS, source: new BlobSource(file, { maxCacheSize: CACHE_BYTES }) });
  signal.addEventListener("abort", () => input.dispose());
  try {
    const track = await input.getPrimaryAudioTrack();
    if (!track) throw new FileError("no-audio-track", `${name} holds no sound`);
    return await describe(file, input, track);
  } catch (cause) {
    input.dispose();
    if (cause instanceof FileError) throw cause;
    if (cause instanceof UnsupportedInputFormatError) {
      throw new FileError("not-audio", `${name} is no sound or video that is known here`, cause);
    }
    throw damaged(cause, 0);
  }
}

async function describe(file: Blob, input: Input, track: InputAudioTrack): Promise<Sound> {
  const seconds = (await track.getDurationFromMetadata()) ?? (await track.computeDuration());
  const [sampleRate, channels] = [await track.getSampleRate(), await track.getNumberOfChannels()];
  const decodable = await track.canDecode();
  const total = Math.round(seconds * sampleRate);
  const format = await input.getFormat();
  const trim = format === MP3 ? await mp3Trim(file, total) : format === OGG ? { ...NO_TRIM, frames: total } : NO_TRIM;
  const faults: string[] = [];
  const start = await startOf(input);
  return {
    format: { sampleRate, channels, seconds },
    subtype: await subtypeOf(track),
    extras: { mask: await maskOf(track), tags: await tagsOf(input), chunks: [] },
    faults,
    decodable,
    blocks: () => decode(track, start, seconds, trim, faults),
    close: () => input.dispose(),
  };
}

/** The time at which the first of all tracks begins, the picture included. */
async function startOf(input: Input): Promise<number> {
  const tracks = await input.getTracks();
  return Math.min(...(await Promise.all(tracks.map((track) => track.getFirstTimestamp()))));
}

/** The source's own samples where nothing was lost when it was made, else 16 bits. */
async function subtypeOf(track: InputAudioTrack): Promise<Subtype> {
  const codec = (await track.getCodec()) ?? "";
  const description = (await track.getDecoderConfig())?.description;
  const bits = codec === "flac" ? bitsOf(description) : Number(/^pcm-[sf](\d+)/.exec(codec)?.[1] ?? 16);
  if (codec.startsWith("pcm-f")) return bits === 64 ? "DOUBLE" : "FLOAT";
  return bits > 24 ? "PCM_32" : bits > 16 ? "PCM_24" : "PCM_16";
}

async function* decode(
  track: InputAudioTrack,
  start: number,
  seconds: number,
  trim: Trim,
  faults: string[],
): AsyncGenerator<Block> {
  const planes = new Planes();
  const lossless = (await track.getCodec()) === "flac";
  let [given, base] = [0, trim.skip];
  try {
    for await (const sample of new AudioSampleSink(track).samples()) {
      const { numberOfChannels, sampleRate, timestamp } = sample;
      const at = Math.round((timestamp - start) * sampleRate) - base;
      const hole = at - given;
      if (hole < -HOLE_S * sampleRate && given > 0) base += hole;
      else if (hole > HOLE_S * sampleRate && timestamp <= start + seconds) {
        given += hole;
        yield* planes.silence(numberOfChannels, sampleRate, hole);
      }
      const block = planes.take(sample, given === 0 ? Math.max(0, -at) : 0, trim.frames - given);
      given += block.frames;
      yield block;
    }
  } catch (cause) {
    if (given === 0 || cause instanceof FileError) throw cause instanceof FileError ? cause : damaged(cause, given);
    faults.push(damaged(cause, given).message);
  }
  const promised = Math.round(seconds * (await track.getSampleRate()));
  if (faults.length === 0 && (await track.getCodec()) === "mp3" && (await isLastCut(track))) {
    faults.push("its last packet is not whole");
  }
  if (given === 0) throw damaged(new Error("it holds no samples"), 0);
  if (faults.length === 0 && ((lossless && given < promised) || given < trim.promised)) {
    faults.push(`${given} of the ${lossless ? promised : trim.promised} samples that it announces are there`);
  }
}

/** Whether the last packet begins in the file and does not end there. */
async function isLastCut(track: InputAudioTrack): Promise<boolean> {
  const sink = new EncodedPacketSink(track);
  const last = await sink.getPacket(Number.POSITIVE_INFINITY, { metadataOnly: true });
  return last !== null && (await sink.getPacket(last.timestamp))?.sequenceNumber !== last.sequenceNumber;
}

function damaged(cause: unknown, frames: number): FileError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const where = frames === 0 ? "at its beginning" : `after ${frames} samples`;
  return new FileError("damaged", `the file is damaged ${where} (${reason})`, cause);
}

/** Buffers for blocks, used again and again. */
class Planes {
  #planes: Float32Array<ArrayBuffer>[] = [];

  /** What the sample holds from a frame on, maybe nothing; the sample is closed. */
  take(sample: AudioSample, frameOffset: number, most: number): Block {
    const { sampleRate } = sample;
    const frames = Math.max(0, Math.min(sample.numberOfFrames - frameOffset, most));
    const planes = this.#sized(sample.numberOfChannels, frames);
    for (const [planeIndex, plane] of planes.entries()) {
      if (frames > 0) sample.copyTo(plane, { planeIndex, format: "f32-planar", frameOffset, frameCount: frames });
    }
    sample.close();
    return { planes, frames, sampleRate };
  }

  /** At most a second at once. */
  *silence(channels: number, sampleRate: number, frames: number): Generator<Block> {
    for (let rest = frames; rest > 0; rest -= sampleRate) {
      const part = Math.min(rest, sampleRate);
      const planes = this.#sized(channels, part);
      for (const plane of planes) plane.fill(0);
      yield { planes, frames: part, sampleRate };
    }
  }

  #sized(channels: number, frames: number): Float32Array<ArrayBuffer>[] {
    if (this.#planes.length !== channels || this.#planes[0]!.length < frames) {
      this.#planes = Array.from({ length: channels }, () => new Float32Array(frames));
    }
    return this.#planes.map((plane) => plane.subarray(0, frames));
  }
}
