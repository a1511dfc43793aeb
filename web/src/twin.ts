// Page thread: makes a cleaned track and its clones behave like the track they stand for.

import { MICROPHONE } from "./microphone.js";
import { type Delay, Mute } from "./mute.js";

/** What the source and the twins need of whoever cleans. */
interface Cleaner extends Delay {
  /** Which track they stand for now; it may change. */
  readonly source: () => MediaStreamTrack;
  /** The source has ended: by itself, or by stop(). */
  readonly ended: () => void;
  /** Somebody has stopped the last of the twins. */
  readonly stopped: () => void;
  /** The first twin is muted or no longer. */
  readonly muteChanged: () => void;
}

/** stop() of one's own track fires no event, so it is looked for so often. */
const LOOK_MS = 500;

const twins = new WeakSet<MediaStreamTrack>();
let streamsAsk = false;

/** MediaStream.clone() copies tracks behind their backs; from the first twin on, twins are asked for their clones. */
function letStreamsAsk(): void {
  if (streamsAsk || typeof MediaStream === "undefined") return;
  streamsAsk = true;
  const { clone } = MediaStream.prototype;
  MediaStream.prototype.clone = function (this: MediaStream): MediaStream {
    const tracks = this.getTracks();
    if (!tracks.some((track) => twins.has(track))) return clone.call(this);
    return new MediaStream(tracks.map((track) => track.clone()));
  };
}

/** The cleaned track and its clones, as long as they live. All of them end with their source, or by end(). */
export class Twins {
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
    for (const [twin, mute] of [...this.#live]) {
      mute.follow(source);
      twin.contentHint = source.contentHint;
    }
    for (const type of ["mute", "unmute"]) source.addEventListener(type, () => this.#tell(type), { signal });
    source.addEventListener("ended", this.#cleaner.ended, { signal });
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  /** Silence until all that is under way has gone by. */
  hold(): void {
    this.#firstMute.hold();
  }

  /** No twin lives any longer, and clones are told. byItself: the cleaned track too, which nobody has stopped */
  end(byItself: boolean): void {
    this.#unfollow.abort();
    clearInterval(this.#timer);
    const living = [...this.#live.keys()];
    for (const twin of living) this.#drop(twin);
    for (const twin of living) if (byItself || twin !== this.#first) twin.dispatchEvent(new Event("ended"));
  }

  #look(): void {
    if (this.#cleaner.source().readyState === "ended") this.#cleaner.ended();
    else for (const twin of [...this.#live.keys()]) if (twin.readyState === "ended") this.#stop(twin);
  }

  #tell(type: string): void {
    for (const twin of [...this.#live.keys()]) twin.dispatchEvent(new Event(type));
  }

  /** Make a track one of the twins. */
  #add(twin: MediaStreamTrack, muteChanged?: () => void): Mute {
    const { source } = this.#cleaner;
    const own = twin.getSettings.bind(twin);
    const clone = twin.clone.bind(twin);
    const settings = (): MediaTrackSettings => {
      const { sampleRate, channelCount } = own();
      return { ...source().getSettings(), ...(sampleRate && { sampleRate }), ...(channelCount && { channelCount }) };
    };
    const mute = new Mute(twin, this.#cleaner, muteChanged);
    Object.defineProperties(twin, {
      getSettings: { value: settings },
      getConstraints: { value: () => source().getConstraints() },
      getCapabilities: { value: () => source().getCapabilities?.() ?? {} },
      applyConstraints: { value: (wanted?: MediaTrackConstraints) => constrain(source(), wanted) },
      clone: { value: () => this.#clone(clone(), twin, mute) },
      muted: { get: () => source().muted },
      label: { get: () => source().label },
      stop: { value: () => this.#stop(twin) },
    });
    this.#live.set(twin, mute);
    twins.add(twin);
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

  #stop(twin: MediaStreamTrack): void {
    if (this.#drop(twin) && this.#live.size === 0) this.#cleaner.stopped();
  }

  /** Returns whether it was one that lived. */
  #drop(twin: MediaStreamTrack): boolean {
    this.#live.get(twin)?.end(twin === this.#first && this.#live.size === 1);
    stopByBrowser(twin);
    return this.#live.delete(twin);
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
