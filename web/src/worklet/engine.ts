// Audio thread: runs the wasm kernel on up to eight channels: lays out its memory, processes hops at once or in parts.

import type { EngineFiles, Settings, StreamShape } from "../protocol/messages.js";
import { BANDS, HOP, SAMPLE_RATE } from "../protocol/params.js";
import { failureOf, views } from "./kernel.js";
import { Resampler } from "./resampler.js";
import { chainDelays, type Delays } from "./schedule.js";
import { abandon, SharedKernel, type Stream, share, shareNow, unshare } from "./shared-kernel.js";

/** Any quantum up to this passes the resampler in one block; longer ones are cut. */
const RESAMPLED_BLOCK = 512;

interface Block {
  readonly at: number;
  readonly bytes: number;
}

/** All but create() and release() is fit for the audio thread: it allocates nothing; the kernel may trap in any of it. */
export class Engine {
  readonly stateBytes: number;
  readonly delays: Delays;
  gains: Float32Array = new Float32Array();
  strengths: Float32Array = new Float32Array();
  /** One hop per channel at 48 kHz: input is written before begin(), output read after finish(). */
  input: readonly Float32Array[] = [];
  output: readonly Float32Array[] = [];
  /** Where the context does not run at 48 kHz. */
  readonly toKernel: Resampler | undefined;
  readonly fromKernel: Resampler | undefined;
  /** Channels of the last hop. */
  active = 1;
  readonly #shared: SharedKernel;
  readonly #linked: boolean;
  readonly #channels: number;
  /** One stream that leads, or one per channel. */
  readonly #streams: readonly Stream[];
  readonly #followers: readonly number[];
  readonly #blocks: Block[] = [];
  readonly #inputAt: number;
  /** Linked channels of the current hop. */
  readonly #heldAt: number;
  readonly #outputAt: number;
  readonly #meanAt: number;
  #held: readonly Float32Array[] = [];
  #mean: Float32Array = new Float32Array();

  private constructor(shared: SharedKernel, shape: StreamShape, rate: number, delaysOf: typeof chainDelays) {
    const { channels, linked, lookAhead } = shape;
    const { kernel, allocator } = shared;
    const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
    this.#shared = shared;
    this.#linked = linked;
    this.#channels = channels;
    this.#streams = many(linked ? 1 : channels, () => shared.open(lookAhead));
    const channelBytes = kernel.sordino_channel_bytes();
    this.#followers = many(linked && channels > 1 ? channels : 0, () => this.#reserve(channelBytes));
    this.stateBytes = this.#streams.length * kernel.sordino_state_bytes() + this.#followers.length * channelBytes;
    const hops = (rows: number): number => this.#reserve(rows * HOP * Float32Array.BYTES_PER_ELEMENT);
    this.#meanAt = hops(1);
    this.#heldAt = hops(channels);
    this.#inputAt = hops(channels);
    this.#outputAt = hops(channels);

    const delays = delaysOf(rate, kernel.sordino_latency(this.#streams[0]!.at));
    this.delays = delays;
    if (rate !== SAMPLE_RATE) {
      const reserve = (bytes: number): number => this.#reserve(bytes);
      const length = RESAMPLED_BLOCK;
      this.toKernel = new Resampler(kernel, reserve, rate, SAMPLE_RATE, channels, delays.toKernel, length);
      this.fromKernel = new Resampler(kernel, reserve, SAMPLE_RATE, rate, channels, delays.fromKernel, HOP);
    }
    allocator.commit();
    this.toKernel?.start();
    this.fromKernel?.start();
    this.renew();
    shared.join(this);
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
    return Engine.#start(await SharedKernel.load(files), shape, rate, delaysOf);
  }

  /** As create(), in one memory with the engines of this scope that have the same files. To be released in the end. */
  static async join(files: EngineFiles, shape: StreamShape, rate: number): Promise<Engine> {
    return Engine.#enter(await share(files), shape, rate);
  }

  /** As join(), at once, which takes some milliseconds. throws EngineError */
  static joinNow(files: EngineFiles, shape: StreamShape, rate: number): Engine {
    return Engine.#enter(shareNow(files), shape, rate);
  }

  static #enter(shared: SharedKernel, shape: StreamShape, rate: number): Engine {
    try {
      return Engine.#start(shared, shape, rate, chainDelays);
    } catch (error) {
      abandon(shared);
      throw error;
    }
  }

  static #start(shared: SharedKernel, shape: StreamShape, rate: number, delaysOf: typeof chainDelays): Engine {
    try {
      return new Engine(shared, shape, rate, delaysOf);
    } catch (cause) {
      throw failureOf(cause, "the kernel failed while it started");
    }
  }

  /** The kernel has failed: let no other engine join it. */
  abandon(): void {
    abandon(this.#shared);
  }

  /** Give the memory back; the engine must not be used any more. */
  release(): void {
    this.#shared.leave(this);
    for (const stream of this.#streams) this.#shared.close(stream);
    for (const { at, bytes } of this.#blocks) this.#shared.allocator.free(at, bytes);
    unshare(this.#shared);
  }

  /** Make all views of the memory anew. */
  renew(): void {
    const { kernel } = this.#shared;
    const leader = this.#streams[0]!.at;
    this.#mean = views(kernel, this.#meanAt, 1, HOP)[0]!;
    this.#held = views(kernel, this.#heldAt, this.#channels, HOP);
    this.input = views(kernel, this.#inputAt, this.#channels, HOP);
    this.output = views(kernel, this.#outputAt, this.#channels, HOP);
    this.gains = views(kernel, kernel.sordino_gains(leader), 1, BANDS)[0]!;
    this.strengths = views(kernel, kernel.sordino_strengths(leader), 1, BANDS)[0]!;
    this.toKernel?.renew();
    this.fromKernel?.renew();
  }

  /** Bytes of the wasm memory, which the streams of a scope share. */
  get memoryBytes(): number {
    return this.#shared.memoryBytes;
  }

  /** Work off one hop of the first `channels` channels at once. */
  processHop(channels: number): void {
    this.begin(channels);
    this.finish();
  }

  /** Analyse a hop of the first `channels` channels, full scale 1. Returns how many parts the network has. */
  begin(channels: number): number {
    if (this.#linked) this.#beginLinked(channels);
    else this.#beginApart(channels);
    this.active = channels;
    return this.#streams[0]!.left;
  }

  /** Compute parts of the network until no more than `left` are left. */
  advance(left: number): void {
    const streams = this.#linked ? 1 : this.active;
    for (let c = 0; c < streams; c++) this.#shared.advance(this.#streams[c]!, left);
  }

  /** Give out the hop that was begun. */
  finish(): void {
    const channels = this.active;
    if (!this.#linked) {
      for (let c = 0; c < channels; c++) this.#shared.finish(this.#streams[c]!, this.#outputAt + hopBytes(c));
      return;
    }
    this.#shared.finish(this.#streams[0]!, channels === 1 ? this.#outputAt : this.#meanAt);
    if (channels > 1) this.#follow(channels);
  }

  /** Milliseconds that other engines worked for this one since the last call, less those that it worked for others. */
  takeOwedMs(): number {
    let owedMs = 0;
    for (const stream of this.#streams) {
      owedMs += stream.owedMs;
      stream.owedMs = 0;
    }
    return owedMs;
  }

  reset(): void {
    for (const stream of this.#streams) this.#shared.reset(stream);
    this.active = 1;
    this.toKernel?.reset();
    this.fromKernel?.reset();
  }

  apply(settings: Settings): void {
    const { kernel } = this.#shared;
    for (const { at } of this.#streams) {
      kernel.sordino_set_post_filter(at, settings.postFilterPasses);
      kernel.sordino_set_attenuation_limit(at, settings.floorGain);
    }
  }

  /** Of the mean of the channels; the largest where they are not linked. */
  get voice(): number {
    let voice = 0;
    const streams = this.#linked ? 1 : this.active;
    for (let c = 0; c < streams; c++) {
      voice = Math.max(voice, this.#shared.kernel.sordino_voice(this.#streams[c]!.at));
    }
    return voice;
  }

  get pitchPeriod(): number {
    return this.#shared.kernel.sordino_pitch_period(this.#streams[0]!.at);
  }

  get pitchCorrelation(): number {
    return this.#shared.kernel.sordino_pitch_correlation(this.#streams[0]!.at);
  }

  #reserve(bytes: number): number {
    const at = this.#shared.allocator.reserve(bytes);
    this.#blocks.push({ at, bytes });
    return at;
  }

  /** A single channel is led directly. Channels that come in later begin with what the leader remembers. */
  #beginLinked(channels: number): void {
    const leader = this.#streams[0]!;
    if (channels === 1) {
      this.#shared.begin(leader, this.#inputAt);
      return;
    }
    for (let c = this.active === 1 ? 0 : this.active; c < channels; c++) {
      this.#shared.kernel.sordino_join(this.#followers[c]!, leader.at);
    }
    for (let c = 0; c < channels; c++) this.#held[c]!.set(this.input[c]!);
    this.#formMean(channels);
    this.#shared.begin(leader, this.#meanAt);
  }

  #beginApart(channels: number): void {
    for (let c = this.active; c < channels; c++) this.#shared.reset(this.#streams[c]!);
    for (let c = 0; c < channels; c++) this.#shared.begin(this.#streams[c]!, this.#inputAt + hopBytes(c));
  }

  #follow(channels: number): void {
    const leader = this.#streams[0]!.at;
    for (let c = 0; c < channels; c++) {
      const offset = hopBytes(c);
      const { kernel } = this.#shared;
      kernel.sordino_follow(this.#followers[c]!, this.#outputAt + offset, this.#heldAt + offset, leader);
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

/** Offset of a channel's hop. */
function hopBytes(channel: number): number {
  return channel * HOP * Float32Array.BYTES_PER_ELEMENT;
}
