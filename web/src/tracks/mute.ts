// Page thread: shares `enabled` between a source track and its proxies. The rules of muting, and of senders:
//
// | what the page does                          | what comes of it                                                      |
// | ------------------------------------------- | --------------------------------------------------------------------- |
// | `enabled` of the source or of the proxy     | one mute with two handles: either mutes, either unmutes, both say so  |
// | starts on a muted source                    | the proxy is muted too                                                |
// | replaces a source while muted               | the new one is muted before it is heard; the old one stays so,        |
// |                                             | until a proxy that is not muted comes back to it                      |
// | stops, switches off, suspends while muted   | the source stays muted, before it takes the proxy's place             |
// | has several proxies or clones of one source | each has a mute of its own; the source is muted while all are, and    |
// |                                             | muting the source mutes all; unmuting it brings back those that it or |
// |                                             | the last of them took away                                            |
// | sets `enabled` of a proxy that has ended    | that of the source; where that has other proxies by now, muting mutes |
// |                                             | them all, and unmuting brings back what was muted so                  |
// | `sender.replaceTrack(null)`, or its own     | the sender is the page's: nothing replaces that track, nor does       |
// | track                                       | stop(); it is ours again when the page gives it the proxy, or by      |
// |                                             | send()                                                                |
// | the system mutes the device                 | the source is silent and `muted`, and so is the proxy                 |
//
// While muted the browser gives silence for the source, so the kernel's delay holds no audio of it. Where the
// source is still live for another proxy, unmuting waits for that delay: audio from before is dropped.
// Adapters carry the mute from one SuppressedTrack to the next by `enabled` of the two tracks alone.

/** Delay from a source to its proxies, and the clock it is measured on. */
export interface Delay {
  readonly delayMs: () => number;
  readonly nowMs: () => number;
}

/** Milliseconds that buffers of the browser may add to the delay of the kernel. */
const BUFFERED_MS = 60;
/** Polling interval while the clock stands still, as in a suspended context. */
const LOOK_MS = 10;

interface Accessor {
  get(): boolean;
  set(on: boolean): void;
}

/** The `enabled` that a track has now: of its class, or one of its own. undefined: it is none of the browser's */
function enabledOf(track: MediaStreamTrack): Accessor | undefined {
  for (let owner: object | null = track; owner; owner = Object.getPrototypeOf(owner)) {
    const found = Object.getOwnPropertyDescriptor(owner, "enabled");
    if (found?.get && found.set) return { get: found.get.bind(track), set: found.set.bind(track) };
  }
  return undefined;
}

/** `enabled` of one proxy: the page sees the new value at once, the native track may follow later. */
export class Mute {
  /** The source that it shares its mute with. */
  #source: Source | undefined;
  /** The last source, once the proxy has ended: setting `enabled` of the proxy sets that of the source. */
  #past: Source | undefined;
  readonly #browser: Accessor;
  readonly #delay: Delay;
  readonly #changed: (() => void) | undefined;
  #on: boolean;
  /** Comes back when the source is unmuted. */
  returns = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** changed: called when the page sees another value */
  constructor(proxy: MediaStreamTrack, delay: Delay, changed?: () => void) {
    this.#browser = enabledOf(proxy)!;
    this.#delay = delay;
    this.#changed = changed;
    this.#on = this.#browser.get();
    const get = (): boolean => this.#past?.on ?? this.#on;
    const set = (on: boolean): void => this.#set(Boolean(on));
    Object.defineProperty(proxy, "enabled", { configurable: true, enumerable: true, get, set });
  }

  get on(): boolean {
    return this.#on;
  }

  /** Share the mute with a source, with no other any more: muted where either is. */
  follow(source: MediaStreamTrack | undefined): void {
    this.#source?.leave(this, source !== undefined);
    this.#source = source && Source.of(source);
    this.#source?.join(this);
  }

  /** The proxy has ended. heir: it was the last one, so its `enabled` still sets that of the source */
  end(heir: boolean): void {
    clearTimeout(this.#timer);
    this.#past = heir ? this.#source : undefined;
    this.follow(undefined);
  }

  #set(on: boolean): void {
    if (this.#source) this.#source.turn(this, on);
    else if (this.#past) this.#past.turnByPast(this, on);
    else this.turn(on);
  }

  /** heardWhileMuted: the source was live, and its audio is still in the delay */
  turn(on: boolean, heardWhileMuted = false): void {
    const changed = this.#on !== on;
    this.#on = on;
    if (on) this.returns = false;
    if (!on || this.#timer === undefined) this.#setBrowser(on);
    if (changed && heardWhileMuted) this.hold();
    if (changed) this.#changed?.();
  }

  /** Output silence until the delayed audio has passed. */
  hold(): void {
    if (!this.#on) return;
    this.#setBrowser(false);
    const { delayMs, nowMs } = this.#delay;
    const due = nowMs() + delayMs() + BUFFERED_MS;
    const wait = (): void => {
      const left = due - nowMs();
      if (left <= 0) this.#setBrowser(true);
      else this.#timer = setTimeout(wait, Math.max(left, LOOK_MS));
    };
    wait();
  }

  #setBrowser(on: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#browser.set(on);
  }
}

/** A source and the mutes of its proxies. Its `enabled` has a setter of ours as long as there are any. */
class Source {
  static readonly #all = new WeakMap<MediaStreamTrack, Source>();
  readonly #track: MediaStreamTrack;
  readonly #proxies = new Set<Mute>();
  #browser: Accessor | undefined;
  #ownBefore: PropertyDescriptor | undefined;
  /** The proxy of old that has muted it, and all its proxies, if one has. */
  #mutedBy: Mute | undefined;
  /** A proxy that was muted has left it for another source: it is off for no other reason. */
  #left = false;

  static of(track: MediaStreamTrack): Source {
    const found = Source.#all.get(track) ?? new Source(track);
    Source.#all.set(track, found);
    return found;
  }

  private constructor(track: MediaStreamTrack) {
    this.#track = track;
  }

  get on(): boolean {
    return this.#track.enabled;
  }

  /** By a proxy that has ended: where others share the mute by now, it unmutes only what it has muted. */
  turnByPast(proxy: Mute, on: boolean): void {
    if (on && this.#proxies.size > 0 && this.#mutedBy !== proxy) return;
    this.#track.enabled = on;
    this.#mutedBy = on ? undefined : proxy;
  }

  join(proxy: Mute): void {
    if (this.#proxies.size === 0) this.#takeOver();
    this.#proxies.add(proxy);
    if (!this.#browser) return;
    if (this.#left && proxy.on) this.#browser.set(true);
    this.#left = false;
    if (!this.#browser.get()) {
      proxy.turn(false);
      proxy.returns = true;
    } else if (!proxy.on) {
      this.turn(proxy, false);
    }
  }

  /** forAnother: the proxy goes on with another source */
  leave(proxy: Mute, forAnother: boolean): void {
    this.#proxies.delete(proxy);
    if (this.#proxies.size > 0) return;
    this.#left = forAnother && !proxy.on;
    this.#giveBack();
  }

  /** One of the proxies is muted or unmuted. */
  turn(proxy: Mute, on: boolean): void {
    this.#mutedBy = undefined;
    const wasLive = this.#browser?.get() ?? true;
    if (on) {
      this.#browser?.set(true);
      for (const other of this.#proxies) other.returns = false;
    }
    proxy.turn(on, wasLive);
    if (on) return;
    proxy.returns = wasLive && ![...this.#proxies].some((other) => other.on);
    if (proxy.returns) this.#browser?.set(false);
  }

  /** The source itself is. */
  #turnAll(on: boolean): void {
    this.#mutedBy = undefined;
    const wasLive = this.#browser!.get();
    this.#browser!.set(on);
    for (const proxy of this.#proxies) {
      if (on ? proxy.returns || this.#proxies.size === 1 : proxy.on) {
        proxy.turn(on, wasLive);
        proxy.returns = !on;
      }
    }
  }

  #takeOver(): void {
    this.#ownBefore = Object.getOwnPropertyDescriptor(this.#track, "enabled");
    this.#browser = enabledOf(this.#track);
    const { get } = this.#browser ?? {};
    if (!get) return;
    const set = (on: boolean): void => this.#turnAll(Boolean(on));
    Object.defineProperty(this.#track, "enabled", { configurable: true, enumerable: true, get, set });
  }

  #giveBack(): void {
    if (!this.#browser) return;
    if (this.#ownBefore) Object.defineProperty(this.#track, "enabled", this.#ownBefore);
    else delete (this.#track as { enabled?: boolean }).enabled;
    this.#browser = undefined;
  }
}
