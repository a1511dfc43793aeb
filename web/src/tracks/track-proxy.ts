// Page thread: makes a cleaned track and its clones behave like the track they stand for.

import { MICROPHONE } from "./microphone.js";
import { type Delay, Mute } from "./mute.js";

/** What the source and the proxies need of whoever cleans. */
interface Cleaner extends Delay {
  /** Which track they stand for now; it may change. */
  readonly source: () => MediaStreamTrack;
  /** The source has ended: by itself, or by stop(). */
  readonly ended: () => void;
  /** Somebody has stopped the last of the proxies. */
  readonly stopped: () => void;
  /** The first proxy is muted or no longer. */
  readonly muteChanged: () => void;
}

/** stop() of one's own track fires no event, so it is looked for so often. */
const LOOK_MS = 500;

const proxies = new WeakSet<MediaStreamTrack>();
let streamsAsk = false;

/** MediaStream.clone() copies tracks behind their backs; from the first proxy on, proxies are asked for their clones. */
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

/** The cleaned track and its clones, as long as they live. All of them end with their source, or by end(). */
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

  /** Take mute, "mute", "unmute", "ended" and all that tracks say of themselves from another source. */
  follow(source: MediaStreamTrack): void {
    this.#unfollow.abort();
    this.#unfollow = new AbortController();
    const { signal } = this.#unfollow;
    for (const [proxy, mute] of [...this.#live]) {
      mute.follow(source);
      proxy.contentHint = source.contentHint;
    }
    for (const type of ["mute", "unmute"]) source.addEventListener(type, () => this.#tell(type), { signal });
    source.addEventListener("ended", this.#cleaner.ended, { signal });
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  /** Silence until all that is under way has gone by. */
  hold(): void {
    this.#firstMute.hold();
  }

  /** No proxy lives any longer, and clones are told. byItself: the cleaned track too, which nobody has stopped */
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

  /** Make a track one of the proxies. */
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

  /** copy: a track of the browser's that nobody else knows. A clone of what has ended has ended. */
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

  /** Returns whether it was one that lived. */
  #drop(proxy: MediaStreamTrack): boolean {
    this.#live.get(proxy)?.end(proxy === this.#first && this.#live.size === 1);
    stopByBrowser(proxy);
    return this.#live.delete(proxy);
  }
}

/** As its class does, for the track has a stop() of ours. */
function stopByBrowser(track: MediaStreamTrack): void {
  (Object.getPrototypeOf(track) as MediaStreamTrack).stop.call(track);
}

/** What works against ours stays off, whatever is wanted. */
async function constrain(source: MediaStreamTrack, wanted: MediaTrackConstraints = {}): Promise<void> {
  const { noiseSuppression, autoGainControl } = MICROPHONE;
  const own = { noiseSuppression: noiseSuppression!, autoGainControl: autoGainControl! };
  await source.applyConstraints({ ...wanted, ...own });
}
