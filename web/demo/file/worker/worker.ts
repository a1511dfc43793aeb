// File worker: cleans one file, then it is of no more use. ../process.ts starts it.

import type { EngineFiles } from "../../../src/protocol/messages.js";
import type { Sink } from "../../wav/sink.js";
import { LARGEST_BYTES, WavWriter } from "../../wav/writer.js";
import { asFileError, FileError } from "../errors.js";
import type { Job, Reply, Request, SoundFormat } from "../messages.js";
import { Cleaner } from "./cleaner.js";
import { openMedia } from "./media.js";
import { Page } from "./pushed.js";
import { openSink } from "./sink.js";
import type { Block, Sound } from "./sound.js";

interface Scope {
  onmessage: ((event: MessageEvent<Request>) => void) | null;
  postMessage(reply: Reply): void;
}

const MAX_CHANNELS = 8;
const [MIN_RATE, MAX_RATE] = [1_000, 768_000];
const PROGRESS_MS = 100;
const NO_EXTRAS = { mask: undefined, tags: {}, chunks: [] };

const scope = globalThis as unknown as Scope;
const end = new AbortController();
const page = new Page((reply) => scope.postMessage(reply), end.signal);

async function fetchBytes(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url, { signal: end.signal });
  if (!response.ok) throw new FileError("engine", `${url}: the server answered ${response.status}`);
  return response.arrayBuffer();
}

/** The worker decodes; what it cannot, the page tries. rejects FileError, or the signal's reason */
async function openSound(file: File): Promise<Sound> {
  let sound: Sound;
  try {
    sound = await openMedia(file, end.signal);
  } catch (cause) {
    if (cause instanceof FileError && cause.code === "not-audio" && file.size > 0)
      return page.open(undefined, "PCM_16", NO_EXTRAS);
    throw cause;
  }
  if (sound.decodable) return sound;
  sound.close();
  return page.open(sound.format, sound.subtype, sound.extras);
}

/** One stream through the kernel into a sink. */
class Work {
  readonly sampleRate: number;
  readonly channels: number;
  readonly #cleaner: Cleaner;
  readonly #writer: WavWriter;

  private constructor(sampleRate: number, channels: number, cleaner: Cleaner, writer: WavWriter) {
    [this.sampleRate, this.channels] = [sampleRate, channels];
    [this.#cleaner, this.#writer] = [cleaner, writer];
  }

  /** first: tells the sample rate and the channels. rejects FileError "unsupported", EngineError */
  static async begin(first: Block, files: EngineFiles, job: Job, sound: Sound, sink: Sink): Promise<Work> {
    const { sampleRate } = first;
    const channels = first.planes.length;
    if (channels > MAX_CHANNELS) throw new FileError("unsupported", `${channels} channels, wanted 1..${MAX_CHANNELS}`);
    if (sampleRate < MIN_RATE || sampleRate > MAX_RATE) {
      throw new FileError("unsupported", `a sample rate of ${sampleRate} Hz, wanted ${MIN_RATE}..${MAX_RATE}`);
    }
    const writer = new WavWriter(sink, { sampleRate, channels, subtype: sound.subtype, extras: sound.extras });
    const take = writer.write.bind(writer);
    const cleaner = await Cleaner.create(files, { sampleRate, channels, linked: job.linked }, job.settings, take);
    return new Work(sampleRate, channels, cleaner, writer);
  }

  /** Seconds that are done. */
  get seconds(): number {
    return this.#writer.frames / this.sampleRate;
  }

  /** throws FileError "damaged", "too-long" or "disk-full" */
  push({ planes, frames, sampleRate }: Block): void {
    if (planes.length !== this.channels || sampleRate !== this.sampleRate) {
      throw new FileError("damaged", `the channels or the sample rate change after ${this.seconds.toFixed(1)} s`);
    }
    this.#cleaner.push(planes, frames);
    if (this.#writer.bytes > LARGEST_BYTES) {
      throw new FileError(
        "too-long",
        `a WAV file holds at most 4 GB, which is ${(this.seconds / 60).toFixed()} minutes here`,
      );
    }
  }

  /** rejects FileError "disk-full" */
  finish(): Promise<Blob> {
    this.#cleaner.finish();
    return this.#writer.finish();
  }
}

/** Says how far the work is, not too often, and then lets messages in: decoded samples come without a pause. */
function reporter(total: number): (seconds: number) => Promise<void> {
  let last = performance.now();
  return async (seconds) => {
    if (performance.now() - last < PROGRESS_MS) return;
    scope.postMessage({ type: "progress", fraction: total > 0 ? Math.min(1, seconds / total) : 0, seconds });
    await new Promise((resolve) => setTimeout(resolve));
    last = performance.now();
  };
}

/** The result and its format. rejects FileError, EngineError, or the signal's reason */
async function clean(
  job: Job,
  sound: Sound,
  sink: Sink,
): Promise<{ clean: Blob; fault: string | undefined } & SoundFormat> {
  const [wasm, weights] = await Promise.all([fetchBytes(job.wasm), fetchBytes(job.weights)]);
  const report = reporter(sound.format.seconds);
  let work: Work | undefined;
  for await (const block of sound.blocks()) {
    end.signal.throwIfAborted();
    work ??= await Work.begin(block, { wasm, weights }, job, sound, sink);
    work.push(block);
    await report(work.seconds);
  }
  if (!work) throw new FileError("damaged", "the file holds no samples");
  const result = await work.finish();
  const fault = sound.faults.length > 0 ? sound.faults.join("; ") : undefined;
  return { clean: result, fault, seconds: work.seconds, channels: work.channels, sampleRate: work.sampleRate };
}

/** A decoder whose input goes away may never answer, so nobody waits for it then. */
const cancelled = new Promise<never>((_, reject) => {
  end.signal.addEventListener("abort", () => reject(end.signal.reason));
});

async function run(job: Job): Promise<void> {
  let sound: Sound | undefined;
  let sink: Sink | undefined;
  try {
    sound = await Promise.race([openSound(job.file), cancelled]);
    sink = await openSink(job.entry);
    scope.postMessage({ type: "done", ...(await Promise.race([clean(job, sound, sink), cancelled])) });
  } catch (cause) {
    await sink?.abandon().catch(() => undefined);
    const { code, message } = asFileError(cause, "engine");
    scope.postMessage(end.signal.aborted ? { type: "cancelled" } : { type: "failed", code, message });
  } finally {
    sound?.close();
  }
}

scope.onmessage = ({ data: request }) => {
  if (request.type === "start") void run(request.job);
  else if (request.type === "cancel") end.abort();
  else page.hear(request);
};
