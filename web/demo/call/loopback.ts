// Page thread: a call from this page to itself: two tracks as Opus through WebRTC, no server in between.

const STATS_MS = 1000;
const CONNECT_MS = 10_000;

export interface CallFigures {
  readonly codec: string;
  /** Of both tracks together, bit/s since the last look. */
  readonly bitsPerSecond: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  /** Mean time that sound waits for late packets, ms. */
  readonly jitterBufferMs: number;
}

export class Loopback {
  readonly #near = new RTCPeerConnection();
  readonly #far = new RTCPeerConnection();
  readonly #received: MediaStreamTrack[] = [];
  /** Chromium lets no received sound into an audio graph that no element plays as well. */
  readonly #mute: HTMLAudioElement[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #lastBytes = 0;
  #lastMs = performance.now();

  /** Call. sent: one live audio track each. Returns when all arrive. rejects Error when they do not */
  async open(sent: readonly MediaStreamTrack[]): Promise<MediaStream[]> {
    introduce(this.#near, this.#far);
    introduce(this.#far, this.#near);
    this.#far.ontrack = ({ track }) => {
      this.#received.push(track);
    };
    const connected = this.#connected();
    for (const track of sent) this.#near.addTrack(track);
    await this.#near.setLocalDescription();
    await this.#far.setRemoteDescription(this.#near.localDescription!);
    await this.#far.setLocalDescription();
    await this.#near.setRemoteDescription(this.#far.localDescription!);
    await connected;
    return this.#received.map((track) => this.#play(track));
  }

  /** Tell the figures once a second. */
  watch(tell: (figures: CallFigures) => void): void {
    this.#timer = setInterval(() => void this.#figures().then(tell), STATS_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const element of this.#mute) element.srcObject = null;
    this.#near.close();
    this.#far.close();
  }

  /** rejects Error */
  #connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error("the browser did not connect the call to itself"));
      const timer = setTimeout(fail, CONNECT_MS);
      this.#far.onconnectionstatechange = () => {
        const { connectionState } = this.#far;
        if (connectionState === "connecting") return;
        clearTimeout(timer);
        if (connectionState === "connected") resolve();
        else fail();
      };
    });
  }

  #play(track: MediaStreamTrack): MediaStream {
    const stream = new MediaStream([track]);
    const element = new Audio();
    element.muted = true;
    element.srcObject = stream;
    element.play().catch(() => undefined);
    this.#mute.push(element);
    return stream;
  }

  async #figures(): Promise<CallFigures> {
    const report = [...(await this.#far.getStats()).values()] as Record<string, unknown>[];
    const inbound = report.filter(({ type }) => type === "inbound-rtp");
    const sum = (key: string): number => inbound.reduce((total, one) => total + Number(one[key] ?? 0), 0);
    const codec = report.find(({ type }) => type === "codec");
    const bytes = sum("bytesReceived");
    const now = performance.now();
    const bitsPerSecond = (8000 * (bytes - this.#lastBytes)) / (now - this.#lastMs);
    this.#lastBytes = bytes;
    this.#lastMs = now;
    const emitted = sum("jitterBufferEmittedCount");
    return {
      codec: codec ? `${String(codec.mimeType).replace("audio/", "")}, ${Number(codec.clockRate) / 1000} kHz` : "Opus",
      bitsPerSecond,
      packetsReceived: sum("packetsReceived"),
      packetsLost: sum("packetsLost"),
      jitterBufferMs: emitted > 0 ? (1000 * sum("jitterBufferDelay")) / emitted : 0,
    };
  }
}

/** Tell the other end where this one can be reached; one that has hung up refuses, which does not matter any more. */
function introduce(one: RTCPeerConnection, other: RTCPeerConnection): void {
  one.onicecandidate = ({ candidate }) => void other.addIceCandidate(candidate ?? undefined).catch(() => undefined);
}
