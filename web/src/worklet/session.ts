// Audio thread: one stream: mixes the wet signal of a chain and the dry signal of a delay line; on any failure the dry
// signal plays on.

import type { EngineFiles, Failure, Readout, Reply, Settings, StreamShape } from "../protocol/messages.js";
import { Chain } from "./chain.js";
import { DelayLine } from "./delay-line.js";
import { DryWetFade } from "./dry-wet-fade.js";
import { Engine } from "./engine.js";
import { Heartbeat } from "./heartbeat.js";
import { FADES_PER_SECOND, Incoming } from "./incoming.js";
import { failureOf } from "./kernel.js";
import { Meter } from "./meter.js";
import { OverrunMonitor } from "./overrun-monitor.js";
import { readoutOf } from "./readout.js";
import { leavePhase, takePhase } from "./stagger.js";

/** What a session needs from the thread it lives on. */
export interface Host {
  /** Milliseconds, as fine as the thread can tell. */
  now(): number;
  reply(reply: Reply): void;
}

/** process() allocates only messages: failures, overruns, heartbeats and, while enabled, voice probability. */
export class Session {
  readonly #host: Host;
  readonly #shape: StreamShape;
  readonly #rate: number;
  readonly #dryDelay: DelayLine;
  readonly #mixer: DryWetFade;
  readonly #monitor = new OverrunMonitor();
  readonly #meter = new Meter();
  readonly #heartbeat: Heartbeat | undefined;
  /** undefined: the network is spread. */
  readonly #phase: number | undefined;
  #settings: Settings;
  #quantum: number;
  #dry: Float32Array[] = [];
  #wet: Float32Array[] = [];
  #newWet: Float32Array[] = [];
  /** The chain that is audible; the one that warms up or fades in. */
  #current: Chain | undefined;
  #incoming: Incoming | undefined;
  #heard = false;
  #tellVoice = false;
  #alive = true;
  /** Offline: files of the engine that process() creates at its first call. */
  #parked: EngineFiles | undefined;
  /** After finish(). */
  #last: Readout | undefined;

  constructor(host: Host, shape: StreamShape, settings: Settings, rate: number, quantum: number) {
    this.#host = host;
    // Copy the fields: `shape` may also hold the files, which must not stay in memory.
    const { channels, linked, realTime, offline = false, spread = false, lookAhead } = shape;
    this.#shape = { channels, linked, realTime, offline, spread, ...(lookAhead !== undefined && { lookAhead }) };
    this.#settings = settings;
    this.#rate = rate;
    this.#quantum = quantum;
    this.#phase = shape.spread ? undefined : takePhase();
    this.#heartbeat = shape.offline ? undefined : new Heartbeat(rate, (reply) => host.reply(reply));
    this.#dryDelay = new DelayLine(shape.channels, rate);
    this.#mixer = new DryWetFade(shape.channels, Math.round(rate / FADES_PER_SECOND));
    this.#makeBlocks();
  }

  /** Create an engine. The first is used at once if nothing was played before; later ones warm up and fade in. */
  async start(files: EngineFiles, id: number): Promise<void> {
    let chain: Chain;
    try {
      const engine = await Engine.join(files, this.#shape, this.#rate);
      if (!this.#alive) {
        engine.release();
        return;
      }
      chain = this.#chainOf(engine);
    } catch (cause) {
      const { failure } = failureOf(cause, "the engine did not start");
      if (this.#alive) this.#host.reply({ type: "failure", id, failure });
      return;
    }
    if (this.#heard) {
      this.#warm(chain, id);
      return;
    }
    this.#begin(chain);
    this.#sayReady(chain, id);
    if (this.#shape.offline) this.#park(files);
  }

  #chainOf(engine: Engine): Chain {
    engine.apply(this.#settings);
    return new Chain(engine, this.#shape.channels, this.#rate, this.#quantum, this.#phase);
  }

  /** Use a chain at once: nothing was played before. */
  #begin(chain: Chain): void {
    this.#drop(true, false);
    this.#parked = undefined;
    this.#current = chain;
    this.#dryDelay.configure(chain.latency, this.#quantum);
    this.#mixer.set(this.#target());
  }

  /** Offline: the engine has started once; free its memory until rendering begins. */
  #park(files: EngineFiles): void {
    this.#drop(true, false);
    this.#parked = files;
  }

  #unpark(files: EngineFiles): void {
    this.#parked = undefined;
    try {
      this.#begin(this.#chainOf(Engine.joinNow(files, this.#shape, this.#rate)));
    } catch (cause) {
      const { failure } = failureOf(cause, "the engine did not start");
      this.#host.reply({ type: "failure", id: undefined, failure });
    }
  }

  apply(settings: Settings): void {
    this.#settings = settings;
    this.#guard(() => this.#current?.engine.apply(settings));
    this.#guard(() => this.#incoming?.chain.engine.apply(settings));
  }

  tellVoice(on: boolean): void {
    this.#tellVoice = on;
  }

  /** Reset states, delays and counters. The output fades to silence, with which every stream begins. */
  reset(): void {
    this.#monitor.reset();
    this.#meter.reset();
    this.#dryDelay.clear();
    this.#guard(() => this.#current?.reset());
    this.#guard(() => this.#incoming?.chain.reset());
    this.#mixer.jump(this.#target());
  }

  /** Offline rendering is complete: free the memory; only read() may follow. */
  finish(): void {
    this.#last ??= this.read();
    this.#parked = undefined;
    this.#drop(true, true);
  }

  destroy(): void {
    if (this.#alive && this.#phase !== undefined) leavePhase(this.#phase);
    this.#alive = false;
    this.#parked = undefined;
    this.#drop(true, true);
  }

  /** One block of every channel, [channels][quantum]; fewer inputs than outputs are the first one, none is silence. */
  process(outputs: readonly Float32Array[], inputs: readonly Float32Array[]): void {
    const quantum = outputs[0]!.length;
    const channels = Math.min(outputs.length, this.#shape.channels);
    if (this.#parked) this.#unpark(this.#parked);
    if (quantum !== this.#quantum) this.#adopt(quantum);
    if (this.#current && this.#current.latency !== this.#dryDelay.delay) this.#align(this.#current.latency);
    this.#dryDelay.process(this.#dry, inputs, channels, quantum);
    if (inputs.length > 0) this.#heard = true;
    const wasHeard = this.#current;
    if (this.#current && this.#run(this.#current, this.#wet, inputs, channels) === false) this.#drop(true, false);
    if (this.#incoming) this.#runIncoming(inputs, channels);
    if (wasHeard && this.#current === undefined) this.#mixer.jump(0);
    this.#mixer.mix(outputs, this.#dry, this.#wet, this.#target(), channels, quantum);
    for (let c = channels; c < outputs.length; c++) outputs[c]!.set(outputs[0]!);
    const silent = this.#meter.note(this.#dry, outputs, channels, quantum) === 0;
    this.#heartbeat?.note(quantum, inputs.length > 0, silent, this.#mixer.share);
  }

  /** Build a read-out. Runs in a message handler, never inside process(). */
  read(): Readout {
    return this.#last ?? readoutOf(this.#current?.engine, this.#meter, this.#monitor);
  }

  /** Target share of the wet signal. */
  #target(): number {
    return this.#current === undefined || this.#settings.bypass ? 0 : 1;
  }

  #drop(current: boolean, incoming: boolean): void {
    if (current) this.#current?.engine.release();
    if (current) this.#current = undefined;
    if (incoming) this.#incoming?.chain.engine.release();
    if (incoming) this.#incoming = undefined;
  }

  #warm(chain: Chain, id: number): void {
    this.#drop(false, true);
    this.#incoming = new Incoming(chain, id, this.#rate);
    this.#monitor.forgive();
  }

  /** Process one quantum. Returns false if the chain failed or is too slow; a message has then been sent. */
  #run(chain: Chain, wet: readonly Float32Array[], inputs: readonly Float32Array[], channels: number): boolean {
    const begin = this.#host.now();
    let hops: number;
    try {
      hops = chain.exchange(wet, inputs, channels, this.#quantum);
    } catch (cause) {
      return this.#fail(`the kernel trapped: ${cause}`, chain);
    }
    if (hops < 0) return this.#fail("the kernel returned samples that are not finite numbers", chain);
    chain.spentMs += this.#host.now() - begin + chain.engine.takeOwedMs();
    if (hops === 0) return true;
    if (chain === this.#current) this.#heartbeat?.noteHops(hops);
    if (this.#tellVoice && chain === this.#current) {
      this.#host.reply({ type: "voice", probability: chain.engine.voice });
    }
    const verdict = this.#monitor.note(hops, Math.max(0, chain.spentMs));
    chain.spentMs = Math.min(0, chain.spentMs);
    if (verdict === "fine" || !this.#shape.realTime) return true;
    return this.#beLate(chain, verdict === "stop");
  }

  /** Handle an overrun: a chain that is warming up fails alone; the current one sends "overrun". */
  #beLate(chain: Chain, stop: boolean): boolean {
    const { overruns } = this.#monitor;
    if (stop && chain === this.#incoming?.chain) {
      this.#monitor.forgive();
      return this.#fail(`the kernel was too slow while it warmed up (${overruns} frames were late)`, chain, "overrun");
    }
    if (this.#monitor.takeReport(stop)) this.#host.reply({ type: "overrun", overruns, stopped: stop });
    return !stop;
  }

  #runIncoming(inputs: readonly Float32Array[], channels: number): void {
    const incoming = this.#incoming!;
    if (!this.#run(incoming.chain, this.#newWet, inputs, channels)) {
      this.#drop(false, true);
      return;
    }
    if (!incoming.warm(this.#quantum)) return;
    if (this.#current === undefined) {
      this.#promote();
      for (let c = 0; c < channels; c++) this.#wet[c]!.set(this.#newWet[c]!);
      return;
    }
    if (incoming.fade(this.#wet, this.#newWet, channels, this.#quantum)) this.#promote();
  }

  /** Make the incoming chain the current one. */
  #promote(): void {
    const { chain, id } = this.#incoming!;
    this.#drop(true, false);
    this.#current = chain;
    this.#incoming = undefined;
    this.#sayReady(chain, id);
  }

  #sayReady(chain: Chain, id: number): void {
    const { stateBytes } = chain.engine;
    this.#host.reply({ type: "ready", id, latencySamples: chain.latency, stateBytes });
  }

  /** Delay the dry signal by the wet signal's latency. */
  #align(delay: number): void {
    this.#dryDelay.configure(delay, this.#quantum);
    if (this.#mixer.share < 1) this.#mixer.jump(this.#mixer.share);
  }

  /** The quantum length has changed: play dry until the chain has filled again. */
  #adopt(quantum: number): void {
    this.#quantum = quantum;
    this.#makeBlocks();
    for (const chain of [this.#current, this.#incoming?.chain]) this.#guard(() => chain?.configure(quantum));
    this.#dryDelay.configure(this.#dryDelay.delay, quantum);
    const chain = this.#current;
    if (chain === undefined) return;
    if (this.#heard) {
      this.#current = undefined;
      this.#mixer.jump(0);
      if (this.#incoming === undefined) this.#warm(chain, 0);
      else chain.engine.release();
    } else {
      this.#dryDelay.configure(chain.latency, quantum);
      this.#sayReady(chain, 0);
    }
  }

  #makeBlocks(): void {
    const blocks = (): Float32Array[] =>
      Array.from({ length: this.#shape.channels }, () => new Float32Array(this.#quantum));
    this.#dry = blocks();
    this.#wet = blocks();
    this.#newWet = blocks();
  }

  /** Call the kernel, which may trap; on a trap report it and play dry. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (cause) {
      const message = `the kernel trapped: ${cause}`;
      if (this.#incoming) this.#fail(message, this.#incoming.chain);
      this.#fail(message);
      this.#drop(true, true);
      this.#mixer.jump(0);
    }
  }

  /** Report a failure. Other streams keep the failed kernel; new ones do not join it. */
  #fail(message: string, chain?: Chain, code: Failure["code"] = "runtime"): false {
    if (code === "runtime")
      for (const c of [chain ?? this.#current, chain ?? this.#incoming?.chain]) c?.engine.abandon();
    const id = chain !== undefined && chain === this.#incoming?.chain ? this.#incoming.id : undefined;
    this.#host.reply({ type: "failure", id, failure: { code, message } });
    return false;
  }
}
