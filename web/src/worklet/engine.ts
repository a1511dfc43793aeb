// Audio thread: the wasm kernel for up to eight channels. Lays out the memory and works off hops.

import type { EngineFiles, Settings, StreamShape } from "../messages.js";
import { BANDS, HOP, SAMPLE_RATE } from "../params.js";
import { Allocator, EngineError, instantiate, type Kernel, views } from "./kernel.js";
import { Resampler } from "./resampler.js";
import { chainDelays, type Delays } from "./schedule.js";

/** What sordino_init answers, in words. */
const INIT_FAILURES: Readonly<Record<number, string>> = {
  [-1]: "it is not a Sordino weight file",
  [-2]: "its format version is not the one this kernel reads",
  [-3]: "its size is not the one its header states; it may be truncated",
  [-4]: "its checksum does not match; it is damaged",
  [-5]: "it holds a network that this kernel does not know",
};

/** Any quantum up to this passes the resampler in one block; longer ones are cut. */
const RESAMPLED_BLOCK = 512;

/** Everything but create() is fit for the audio thread: it allocates nothing; processHop() and resamplers may trap. */
export class Engine {
  readonly stateBytes: number;
  readonly memoryBytes: number;
  readonly delays: Delays;
  readonly gains: Float32Array;
  readonly strengths: Float32Array;
  /** One hop per channel at 48 kHz: written before processHop(), read after it. */
  readonly input: readonly Float32Array[];
  readonly output: readonly Float32Array[];
  /** Where the context does not run at 48 kHz. */
  readonly toKernel: Resampler | undefined;
  readonly fromKernel: Resampler | undefined;
  readonly #kernel: Kernel;
  readonly #linked: boolean;
  /** One state that leads, or one per channel. */
  readonly #states: readonly number[] = [];
  readonly #followers: readonly number[] = [];
  readonly #inputAt: number;
  readonly #outputAt: number;
  readonly #meanAt: number;
  readonly #mean: Float32Array;
  /** Channels of the last hop. */
  #active = 1;

  private constructor(
    kernel: Kernel,
    weights: Uint8Array,
    shape: StreamShape,
    rate: number,
    delaysOf: typeof chainDelays,
  ) {
    const { channels } = shape;
    const allocator = new Allocator(kernel);
    const many = (count: number, bytes: number): number[] =>
      Array.from({ length: count }, () => allocator.reserve(bytes));
    this.#kernel = kernel;
    this.#linked = shape.linked;
    const weightsAt = allocator.reserve(weights.length);
    this.#states = many(shape.linked ? 1 : channels, kernel.sordino_state_bytes());
    this.#followers = many(shape.linked && channels > 1 ? channels : 0, kernel.sordino_channel_bytes());
    this.stateBytes =
      this.#states.length * kernel.sordino_state_bytes() + this.#followers.length * kernel.sordino_channel_bytes();
    this.#meanAt = allocator.reserveFloats(1, HOP);
    this.#inputAt = allocator.reserveFloats(channels, HOP);
    this.#outputAt = allocator.reserveFloats(channels, HOP);
    allocator.commit();
    new Uint8Array(kernel.memory.buffer, weightsAt, weights.length).set(weights);
    for (const state of this.#states) start(kernel, state, weightsAt, weights.length);

    const delays = delaysOf(rate, kernel.sordino_latency(this.#states[0]!));
    this.delays = delays;
    if (rate !== SAMPLE_RATE) {
      const length = RESAMPLED_BLOCK;
      this.toKernel = new Resampler(kernel, allocator, rate, SAMPLE_RATE, channels, delays.toKernel, length);
      this.fromKernel = new Resampler(kernel, allocator, SAMPLE_RATE, rate, channels, delays.fromKernel, HOP);
      allocator.commit();
      this.toKernel.start();
      this.fromKernel.start();
    }
    this.memoryBytes = kernel.memory.buffer.byteLength;
    this.#mean = views(kernel, this.#meanAt, 1, HOP)[0]!;
    this.input = views(kernel, this.#inputAt, channels, HOP);
    this.output = views(kernel, this.#outputAt, channels, HOP);
    this.gains = views(kernel, kernel.sordino_gains(this.#states[0]!), 1, BANDS)[0]!;
    this.strengths = views(kernel, kernel.sordino_strengths(this.#states[0]!), 1, BANDS)[0]!;
  }

  /**
   * Compile the module and load the weights.
   *
   * files     bytes of sordino.<engine>.wasm and of a weight file
   * rate      of the context, Hz
   * delaysOf  how the resamplers share the latency
   * rejects   EngineError, with the code the page will see
   */
  static async create(
    files: EngineFiles,
    shape: StreamShape,
    rate: number,
    delaysOf: typeof chainDelays = chainDelays,
  ): Promise<Engine> {
    const kernel = await instantiate(files.wasm);
    try {
      return new Engine(kernel, new Uint8Array(files.weights), shape, rate, delaysOf);
    } catch (cause) {
      if (cause instanceof EngineError) throw cause;
      throw new EngineError("wasm", `the kernel failed while it started: ${cause}`);
    }
  }

  /** Work off one hop of the first `channels` channels, full scale 1. A trap in the kernel comes out as an exception. */
  processHop(channels: number): void {
    if (this.#linked) this.#processLinked(channels);
    else this.#processApart(channels);
    this.#active = channels;
  }

  reset(): void {
    for (const state of this.#states) this.#kernel.sordino_reset(state);
    this.#active = 1;
    this.toKernel?.reset();
    this.fromKernel?.reset();
  }

  apply(settings: Settings): void {
    for (const state of this.#states) {
      this.#kernel.sordino_set_post_filter(state, settings.postFilterPasses);
      this.#kernel.sordino_set_attenuation_limit(state, settings.floorGain);
    }
  }

  /** Of the mean of the channels; the largest where they are not linked. */
  get voice(): number {
    let voice = 0;
    const streams = this.#linked ? 1 : this.#active;
    for (let c = 0; c < streams; c++) voice = Math.max(voice, this.#kernel.sordino_voice(this.#states[c]!));
    return voice;
  }

  get pitchPeriod(): number {
    return this.#kernel.sordino_pitch_period(this.#states[0]!);
  }

  get pitchCorrelation(): number {
    return this.#kernel.sordino_pitch_correlation(this.#states[0]!);
  }

  /** A single channel is led directly. Channels that come in later begin with what the leader remembers. */
  #processLinked(channels: number): void {
    const kernel = this.#kernel;
    const leader = this.#states[0]!;
    if (channels === 1) {
      kernel.sordino_process(leader, this.#outputAt, this.#inputAt);
      return;
    }
    for (let c = this.#active === 1 ? 0 : this.#active; c < channels; c++) {
      kernel.sordino_join(this.#followers[c]!, leader);
    }
    this.#formMean(channels);
    kernel.sordino_process(leader, this.#meanAt, this.#meanAt);
    for (let c = 0; c < channels; c++) {
      const offset = c * HOP * Float32Array.BYTES_PER_ELEMENT;
      kernel.sordino_follow(this.#followers[c]!, this.#outputAt + offset, this.#inputAt + offset, leader);
    }
  }

  #processApart(channels: number): void {
    for (let c = this.#active; c < channels; c++) this.#kernel.sordino_reset(this.#states[c]!);
    for (let c = 0; c < channels; c++) {
      const offset = c * HOP * Float32Array.BYTES_PER_ELEMENT;
      this.#kernel.sordino_process(this.#states[c]!, this.#outputAt + offset, this.#inputAt + offset);
    }
  }

  #formMean(channels: number): void {
    const scale = 1 / channels;
    for (let i = 0; i < HOP; i++) {
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += this.input[c]![i]!;
      this.#mean[i] = sum * scale;
    }
  }
}

/** throws  EngineError "weights" */
function start(kernel: Kernel, state: number, weightsAt: number, weightBytes: number): void {
  const answer = kernel.sordino_init(state, weightsAt, weightBytes);
  if (answer === 0) return;
  const reason = INIT_FAILURES[answer] ?? `sordino_init answered ${answer}`;
  throw new EngineError("weights", `the weight file (${weightBytes} bytes) was refused: ${reason}`);
}
