// Page thread: the audio graph of the page.
//
//   clip or microphone -> delay -> analyser (before)
//                     \-> SordinoNode -> analyser (after) -> volume -> loudspeaker
//
// The delay is the node's latency, so that both pictures show the same moment.

import { type EngineName, SordinoNode } from "sordino";
import { createAnalyser } from "./spectrogram.js";

const SAMPLE_RATE = 48_000;
const MAX_LATENCY_S = 1;

/** Echo cancellation stays on; the browser's own noise suppression and gain control would be in the way. */
const MICROPHONE: MediaStreamConstraints = {
  audio: { echoCancellation: true, noiseSuppression: false, autoGainControl: false },
};

export class Player {
  readonly node: SordinoNode;
  readonly before: AnalyserNode;
  readonly after: AnalyserNode;
  readonly #context: AudioContext;
  readonly #delay: DelayNode;
  readonly #volume: GainNode;
  #source: AudioNode | undefined;
  #stream: MediaStream | undefined;

  private constructor(context: AudioContext, node: SordinoNode) {
    this.#context = context;
    this.node = node;
    this.before = createAnalyser(context);
    this.after = createAnalyser(context);
    this.#delay = new DelayNode(context, { delayTime: node.latency.seconds, maxDelayTime: MAX_LATENCY_S });
    this.#volume = new GainNode(context, { gain: 0 });
    this.#delay.connect(this.before);
    node.connect(this.after).connect(this.#volume).connect(context.destination);
  }

  /** To be called from a click, or the browser keeps the context silent. rejects SordinoError */
  static async open(engine: EngineName | "auto", bypass: boolean): Promise<Player> {
    const context = new AudioContext({ sampleRate: SAMPLE_RATE });
    try {
      return new Player(context, await SordinoNode.create(context, { engine, bypass }));
    } catch (error) {
      void context.close();
      throw error;
    }
  }

  /** Fetch a clip, for playClip. rejects Error when it does not arrive or the browser cannot decode it */
  async loadClip(name: string): Promise<AudioBuffer> {
    const url = `clips/${name}.ogg`;
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
    return this.#context.decodeAudioData(await response.arrayBuffer());
  }

  /** Play a clip over and over, aloud. */
  playClip(buffer: AudioBuffer): void {
    const source = new AudioBufferSourceNode(this.#context, { buffer, loop: true });
    this.#begin(source, true);
    source.start();
  }

  /** Listen to an open microphone, silently unless `monitor`. */
  playMicrophone(stream: MediaStream, monitor: boolean): void {
    const source = this.#context.createMediaStreamSource(stream);
    this.#begin(source, monitor);
    this.#stream = stream;
  }

  set audible(audible: boolean) {
    this.#volume.gain.setTargetAtTime(audible ? 1 : 0, this.#context.currentTime, 0.01);
  }

  /** Silence, and let go of the microphone. The engine stays loaded, its context sleeps. */
  stop(): void {
    this.#source?.disconnect();
    if (this.#source instanceof AudioBufferSourceNode) this.#source.stop();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#source = this.#stream = undefined;
    this.node.stopReadout();
    void this.#context.suspend();
  }

  close(): void {
    this.stop();
    this.node.destroy();
    void this.#context.close();
  }

  #begin(source: AudioNode, audible: boolean): void {
    this.stop();
    this.node.reset();
    this.#source = source;
    source.connect(this.node);
    source.connect(this.#delay);
    this.audible = audible;
    this.node.startReadout();
    void this.#context.resume();
  }
}

/** Ask for the microphone. rejects DOMException as getUserMedia does; "NotFoundError" too where there is no such thing */
export async function openMicrophone(): Promise<MediaStream> {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new DOMException("the browser offers microphones only to pages served over HTTPS", "NotFoundError");
  }
  return navigator.mediaDevices.getUserMedia(MICROPHONE);
}
