// File worker: any audio or video file, demultiplexed and decoded piece by piece.

import {
  ADTS,
  type AudioSample,
  AudioSampleSink,
  BlobSource,
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
import { FileError } from "../errors.js";
import type { SoundFormat } from "../messages.js";
import { mp3Trim, NO_TRIM, type Trim } from "./mp3.js";
import type { Depth } from "./wav.js";

const FORMATS = [WAVE, MP3, MP4, QTFF, WEBM, MATROSKA, OGG, FLAC, ADTS, MPEG_TS];
const CACHE_BYTES = 4 << 20;
/** A hole in the sound that is longer than this becomes silence, so that the result stays in step with a picture. */
const HOLE_S = 0.1;
const FINE_PCM = /^pcm-[sf](24|32|64)/;
/** In the description of a FLAC stream: where the 5 bits lie that hold the bits per sample less one. */
const FLAC_BITS_AT = 20;

/** Samples of one moment: [channels][frames], which hold until the next block is asked for. */
export interface Block {
  readonly planes: readonly Float32Array[];
  readonly frames: number;
  readonly sampleRate: number;
}

/** A source of sound. */
export interface Sound {
  /** What the file says of itself; a decoder may know better. */
  readonly format: SoundFormat;
  readonly depth: Depth;
  /** False where this worker has no decoder. */
  readonly decodable: boolean;
  /** rejects FileError "damaged" */
  blocks(): AsyncGenerator<Block>;
  close(): void;
}

/** signal: ends everything. rejects FileError "not-audio", "no-audio-track" or "damaged" */
export async function openMedia(file: File, signal: AbortSignal): Promise<Sound> {
  if (file.size === 0) throw new FileError("not-audio", `${file.name} is empty`);
  const input = new Input({ formats: FORMATS, source: new BlobSource(file, { maxCacheSize: CACHE_BYTES }) });
  signal.addEventListener("abort", () => input.dispose());
  try {
    const track = await input.getPrimaryAudioTrack();
    if (!track) throw new FileError("no-audio-track", `${file.name} holds no sound`);
    return await describe(file, input, track);
  } catch (cause) {
    input.dispose();
    if (cause instanceof FileError) throw cause;
    if (cause instanceof UnsupportedInputFormatError) {
      throw new FileError("not-audio", `${file.name} is no sound or video that is known here`, cause);
    }
    throw damaged(cause, 0);
  }
}

async function describe(file: File, input: Input, track: InputAudioTrack): Promise<Sound> {
  const seconds = (await track.getDurationFromMetadata()) ?? (await track.computeDuration());
  const [sampleRate, channels] = [await track.getSampleRate(), await track.getNumberOfChannels()];
  const decodable = await track.canDecode();
  const isMp3 = (await input.getFormat()) === MP3;
  const trim = isMp3 ? await mp3Trim(file, Math.round(seconds * sampleRate)) : NO_TRIM;
  return {
    format: { sampleRate, channels, seconds },
    depth: await depthOf(track),
    decodable,
    blocks: () => decode(track, seconds, trim),
    close: () => input.dispose(),
  };
}

/** 24 bits where the file is finer than 16, as `sordino denoise` does. */
async function depthOf(track: InputAudioTrack): Promise<Depth> {
  const codec = await track.getCodec();
  if (codec !== "flac") return codec && FINE_PCM.test(codec) ? 24 : 16;
  const description = (await track.getDecoderConfig())?.description;
  if (description === undefined) return 16;
  const bytes = ArrayBuffer.isView(description)
    ? new Uint8Array(description.buffer, description.byteOffset, description.byteLength)
    : new Uint8Array(description);
  const bits = (((bytes[FLAC_BITS_AT]! & 1) << 4) | (bytes[FLAC_BITS_AT + 1]! >> 4)) + 1;
  return bits > 16 ? 24 : 16;
}

async function* decode(track: InputAudioTrack, seconds: number, trim: Trim): AsyncGenerator<Block> {
  const planes = new Planes();
  const lossless = (await track.getCodec()) === "flac";
  let given = 0;
  try {
    for await (const sample of new AudioSampleSink(track).samples()) {
      const { numberOfChannels, sampleRate, timestamp } = sample;
      const at = Math.round(timestamp * sampleRate) - trim.skip;
      const hole = at - given;
      if (hole > HOLE_S * sampleRate && timestamp <= seconds) {
        given += hole;
        yield* planes.silence(numberOfChannels, sampleRate, hole);
      }
      const block = planes.take(sample, given === 0 ? Math.max(0, -at) : 0, trim.frames - given);
      given += block.frames;
      yield block;
    }
    const missing = Math.round(seconds * (await track.getSampleRate())) - given;
    if (lossless && missing > 0) throw new Error(`${missing} samples are missing`);
  } catch (cause) {
    throw cause instanceof FileError ? cause : damaged(cause, given);
  }
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
