// Page thread: track proxies: the cleaned track and its clones report the source's settings, mute state and end.

import { MICROPHONE } from "./microphone.js";
import { type Delay, Mute } from "./mute.js";

/** Callbacks of the SuppressedTrack. */
interface Cleaner extends Delay {
  /** The current source track. */
  readonly source: () => MediaStreamTrack;
  /** The source has ended. */
  readonly ended: () => void;
  /** The last proxy was stopped. */
  readonly stopped: () => void;
  /** `enabled` of the first proxy has changed. */
  readonly muteChanged: () => void;
  /** Whether `enabled` is shared with the source. */
  readonly sharesMute: boolean;
}

/** Polling interval: stop() fires no `ended` event on the page's own track. */
const LOOK_MS = 500;

const proxies = new WeakSet<MediaStreamTrack>();
let streamsAsk = false;

/** Patch MediaStream.clone(), which would clone a proxy without calling its own clone(). */
function letStreamsAsk(): void {
  if (streamsAsk || typeof MediaStream === "undefined") return;
  streamsAsk = true;
  const { clone } = MediaStream.prototype;
  MediaStream.prototype.clone = function (this: MediaStream): MediaStream {
    const tracks = this.getTracks();
    if (!tracks.some((track) => proxies.has(track))) return clone.call(this);
    return new MediaStream(tracks.map((track) => track.clone()));
  };
}

/** The live proxies: the cleaned track and its clones. They end with their source, or by end(). */
export class TrackProxies {
  readonly #cleaner: Cleaner;
  readonly #live = new Map<MediaStreamTrack, Mute>();
  readonly #first: MediaStreamTrack;
  readonly #firstMute: Mute;
  #unfollow = new AbortController();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** first: a track made by this package */
  constructor(first: MediaStreamTrack, cleaner: Cleaner) {
    letStreamsAsk();
    this.#cleaner = cleaner;
    this.#first = first;
    this.#firstMute = this.#add(first, cleaner.muteChanged);
  }

  /** Mirror another source: `enabled`, `muted`, "mute", "unmute", "ended", settings. */
  follow(source: MediaStreamTrack): void {
    this.#unfollow.abort();
    this.#unfollow = new AbortController();
    const { signal } = this.#unfollow;
    for (const [proxy, mute] of [...this.#live]) {
      if (this.#cleaner.sharesMute) mute.follow(source);
      proxy.contentHint = source.contentHint;
    }
    for (const type of ["mute", "unmute"]) source.addEventListener(type, () => this.#tell(type), { signal });
    source.addEventListener("ended", this.#cleaner.ended, { signal });
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  /** Output silence until the delayed audio has passed. */
  hold(): void {
    this.#firstMute.hold();
  }

  /** End all proxies; dispatch "ended" on clones. byItself: on the cleaned track too, which nobody has stopped */
  end(byItself: boolean): void {
    this.#unfollow.abort();
    clearInterval(this.#timer);
    const living = [...this.#live.keys()];
    for (const proxy of living) this.#drop(proxy);
    for (const proxy of living) if (byItself || proxy !== this.#first) proxy.dispatchEvent(new Event("ended"));
  }

  #look(): void {
    if (this.#cleaner.source().readyState === "ended") this.#cleaner.ended();
    else for (const proxy of [...this.#live.keys()]) if (proxy.readyState === "ended") this.#stop(proxy);
  }

  #tell(type: string): void {
    for (const proxy of [...this.#live.keys()]) proxy.dispatchEvent(new Event(type));
  }

  /** Turn a track into a proxy. */
  #add(proxy: MediaStreamTrack, muteChanged?: () => void): Mute {
    const { source } = this.#cleaner;
    const own = proxy.getSettings.bind(proxy);
    const clone = proxy.clone.bind(proxy);
    const settings = (): MediaTrackSettings => {
      const { sampleRate, channelCount } = own();
      return { ...source().getSettings(), ...(sampleRate && { sampleRate }), ...(channelCount && { channelCount }) };
    };
    const mute = new Mute(proxy, this.#cleaner, muteChanged);
    Object.defineProperties(proxy, {
      getSettings: { value: settings },
      getConstraints: { value: () => source().getConstraints() },
      getCapabilities: { value: () => source().getCapabilities?.() ?? {} },
      applyConstraints: { value: (wanted?: MediaTrackConstraints) => constrain(source(), wanted) },
      clone: { value: () => this.#clone(clone(), proxy, mute) },
      muted: { get: () => source().muted },
      label: { get: () => source().label },
      stop: { value: () => this.#stop(proxy) },
    });
    this.#live.set(proxy, mute);
    proxies.add(proxy);
    return mute;
  }

  /** Turn a native clone into a proxy. A clone of an ended proxy has ended. */
  #clone(copy: MediaStreamTrack, of: MediaStreamTrack, { on, returns }: Mute): MediaStreamTrack {
    copy.enabled = on;
    const mute = this.#add(copy);
    if (this.#live.has(of)) mute.follow(this.#cleaner.source());
    else this.#live.delete(copy);
    mute.returns = returns;
    return copy;
  }

  #stop(proxy: MediaStreamTrack): void {
    if (this.#drop(proxy) && this.#live.size === 0) this.#cleaner.stopped();
  }

  /** Returns whether the proxy was live. */
  #drop(proxy: MediaStreamTrack): boolean {
    this.#live.get(proxy)?.end(proxy === this.#first && this.#live.size === 1);
    stopByBrowser(proxy);
    return this.#live.delete(proxy);
  }
}

/** Call the native stop(), which the proxy overrides. */
function stopByBrowser(track: MediaStreamTrack): void {
  (Object.getPrototypeOf(track) as MediaStreamTrack).stop.call(track);
}

/** Apply constraints, but keep the browser's noise suppression and gain control off. */
async function constrain(source: MediaStreamTrack, wanted: MediaTrackConstraints = {}): Promise<void> {
  const { noiseSuppression, autoGainControl } = MICROPHONE;
  const own = { noiseSuppression: noiseSuppression!, autoGainControl: autoGainControl! };
  await source.applyConstraints({ ...wanted, ...own });
}
