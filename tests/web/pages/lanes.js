// One lane per adapter and path: a microphone in a call, switched on, muted, disturbed and switched off. Those of a page of
// its own; those of the platforms are in platforms.js.

import { suppressSender } from "/dist/adapters/webrtc.js";
import { openMicrophone, suppressTrack } from "/dist/sordino.js";
import { call } from "./loopback.js";

/** A kernel that fails when it is told to, in the place of the real one. */
const KERNEL = { engine: "simd128", assets: { simd128: "/built/faulty.wasm" }, retryMs: 200 };
const TRAPS = { attenuationLimitDb: 19 };
const SLOW = { attenuationLimitDb: 21 };
const WORKS = { attenuationLimitDb: Number.POSITIVE_INFINITY };
const NO_MODEL = { name: "none", url: "/none.sordino" };

export const once = (target, type, wanted = () => true) =>
  new Promise((resolve) => target.addEventListener(type, (event) => wanted(event) && resolve(event)));

/** What all lanes have in common. `on` and `off` switch suppression, `open` and `close` a microphone. */
export class Lane {
  /** path: of TrackOptions, or "refused": that of the frames, where the Worker's script is not to be had */
  constructor(path) {
    this.options = { ...KERNEL, path };
    if (path === "refused")
      this.options = { ...KERNEL, path: "frames", assets: { ...KERNEL.assets, worker: "/none.js" } };
  }

  /** Whether the voice takes another way while the context stands still; elsewhere the far end fades what came before. */
  passesOver = false;

  /** Whether unmuting by itself leads to sound where the context stands still. */
  resumesAfter(unmute) {
    return this.passesOver || unmute !== "null";
  }

  /** What is being suppressed: something with update(), setModel() and events. */
  get stream() {
    return this.suppressed;
  }

  get context() {
    return this.suppressed.context;
  }

  get cleaned() {
    return this.suppressed.track;
  }

  async #change(changes, type, wanted) {
    const { stream, settings } = this;
    const told = once(stream, type, wanted);
    settings.update(changes);
    await told;
    settings.update(WORKS);
  }

  get settings() {
    return this.stream;
  }

  events = {
    suspend: () => this.context.suspend(),
    resume: () => this.context.resume(),
    stop: () => this.off(),
    model: () => this.settings.setModel("tiny"),
    missing: () => this.settings.setModel(NO_MODEL).catch(() => undefined),
    trap: () => this.#change(TRAPS, "fallback"),
    "step-down": () => this.#change(SLOW, "overrun", ({ detail }) => detail.action !== "none"),
    device: () => this.device(),
    destroy: () => this.destroy(),
    on: () => this.on(),
    nothing: () => undefined,
  };

  ways = {
    cleaned: [() => this.#enable(this.cleaned, false), () => this.#enable(this.cleaned, true)],
    source: [() => this.#enable(this.source, false), () => this.#enable(this.source, true)],
    sender: [() => this.#enable(this.sender.track, false), () => this.#enable(this.sender.track, true)],
    null: [() => this.#pause(), () => this.sender.replaceTrack(this.paused)],
    platform: [() => this.mute(true), () => this.mute(false)],
  };

  #enable(track, on) {
    track.enabled = on;
  }

  #pause() {
    this.paused = this.sender.track;
    return this.sender.replaceTrack(null);
  }
}

/** suppressTrack in a page that has a sender of its own. */
export class Core extends Lane {
  async open() {
    this.source = await openMicrophone();
    if (this.call) await this.call.sender.replaceTrack(this.source);
    else this.call = await call(this.source);
    this.listener = this.call.listener;
    this.sender = this.call.sender;
  }

  async on() {
    this.suppressed = await suppressTrack(this.source, this.options);
    await this.#send(this.suppressed.track);
  }

  async off() {
    this.suppressed.stop();
    await this.#send(this.source);
  }

  async device() {
    const old = this.source;
    this.source = await openMicrophone();
    this.suppressed.replaceSource(this.source);
    old.stop();
  }

  destroy() {
    this.cleaned.stop();
  }

  close() {
    this.suppressed?.stop();
    this.source.stop();
    this.suppressed = undefined;
  }

  /** The page knows whether it has paused. */
  async #send(track) {
    if (this.sender.track === null) this.paused = track;
    else await this.sender.replaceTrack(track);
  }
}

export class Sender extends Core {
  passesOver = true;

  async on() {
    this.suppressing = await suppressSender(this.sender, this.options);
    this.suppressed = this.suppressing.suppressed;
  }

  off() {
    return this.suppressing.stop();
  }

  async device() {
    const old = this.source;
    this.source = await openMicrophone();
    await this.suppressing.replaceSource(this.source);
    old.stop();
  }

  async close() {
    await this.suppressing?.stop();
    super.close();
  }
}
