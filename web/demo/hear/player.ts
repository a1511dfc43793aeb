// Page thread: what plays. A source leads into the graph; the sound starts at once, the engine joins when it has arrived.

import { type EngineName, type LookAhead, MICROPHONE, type ModelName, SordinoNode } from "sordino";
import { canListen } from "../../src/graph/voice-graph.js";
import { createAnalyser } from "../see/analyser.js";
import { AudioGraph } from "./graph.js";

/** The rate of scenes and files, and what the systems want that are compared. */
export const SAMPLE_RATE = 48_000;

/** What a node is made with. */
export interface Build {
  readonly engine: EngineName | "auto";
  readonly model: ModelName;
  readonly lookAhead: LookAhead;
}

export class Player {
  readonly graph: AudioGraph;
  readonly before: AnalyserNode;
  readonly after: AnalyserNode;
  #ready: Promise<SordinoNode>;
  node: SordinoNode | undefined;
  #sources: AudioNode[] = [];
  #stop: () => void = () => undefined;
  readonly #media = new WeakMap<HTMLMediaElement, MediaElementAudioSourceNode>();

  /** context  made at a click, or the browser keeps it silent; the player closes it */
  constructor(context: AudioContext, build: Build) {
    this.before = createAnalyser(context);
    this.after = createAnalyser(context);
    this.graph = new AudioGraph(context, { before: this.before, after: this.after });
    this.#ready = this.#start(build);
  }

  /** Settles when suppression can begin. Rejects with SordinoError */
  get ready(): Promise<SordinoNode> {
    return this.#ready;
  }

  /** Another node in the place of the last one, which plays until then. rejects SordinoError: the last one stays */
  renew(build: Build): Promise<SordinoNode> {
    const last = this.#ready;
    const renewed = last.then(() => this.#start(build));
    this.#ready = renewed.catch(() => last);
    return renewed;
  }

  get context(): AudioContext {
    return this.graph.context;
  }

  /** Play a recording over and over, aloud. */
  playScene(buffer: AudioBuffer): void {
    const source = new AudioBufferSourceNode(this.context, { buffer, loop: true });
    this.#begin([source], true, () => source.stop());
    source.connect(this.graph.input);
    source.start();
  }

  /** Whether a track can be played at this rate: older ones of Firefox play a microphone at one rate only. */
  canPlay(track: MediaStreamTrack): boolean {
    return canListen(this.context, track);
  }

  /** Listen to an open microphone, silently unless `monitor`. */
  playMicrophone(stream: MediaStream, monitor: boolean): void {
    const source = this.context.createMediaStreamSource(stream);
    this.#begin([source], monitor, () => {
      for (const track of stream.getTracks()) track.stop();
    });
    source.connect(this.graph.input);
  }

  /** Play what an audio or video element plays; the element keeps its own controls. */
  playMedia(media: HTMLMediaElement): void {
    const source = this.#media.get(media) ?? this.context.createMediaElementSource(media);
    this.#media.set(media, source);
    this.#begin([source], true, () => media.pause());
    source.connect(this.graph.input);
  }

  /** Play a recording and what was made of it side by side, again and again; both start with the same sample. */
  playPair(before: AudioBuffer, after: AudioBuffer): void {
    const buffers = [before, after];
    const sources = buffers.map((buffer) => new AudioBufferSourceNode(this.context, { buffer, loop: true }));
    const [raw, clean] = sources as [AudioBufferSourceNode, AudioBufferSourceNode];
    this.#begin(sources, true, () => sources.forEach((source) => void source.stop()));
    raw.connect(this.graph.out("raw"));
    clean.connect(this.graph.out("sordino"));
    const soonS = this.context.currentTime + PAIR_START_S;
    raw.start(soonS);
    clean.start(soonS);
  }

  /** Silence, and let go of the microphone. The engine stays loaded, its context sleeps. */
  stop(): void {
    for (const source of this.#sources) source.disconnect();
    this.#stop();
    this.#sources = [];
    this.#stop = () => undefined;
    this.node?.stopReadout();
    void this.context.suspend();
  }

  /** Stand still in the middle of the sound, or go on. */
  pause(paused: boolean): Promise<void> {
    return paused ? this.context.suspend() : this.context.resume();
  }

  close(): void {
    this.stop();
    this.node?.destroy();
    void this.context.close();
  }

  async #start(build: Build): Promise<SordinoNode> {
    const node = await SordinoNode.create(this.context, build);
    const last = this.node;
    if (last) {
      this.graph.input.connect(node);
      await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
    }
    this.node = node;
    this.graph.attach("sordino", node, node.latency.samples);
    last?.destroy();
    if (this.#sources.length > 0) node.startReadout();
    return node;
  }

  #begin(sources: AudioNode[], audible: boolean, stop: () => void): void {
    this.stop();
    this.#sources = sources;
    this.#stop = stop;
    this.node?.reset();
    this.graph.forget();
    this.graph.audible = audible;
    this.node?.startReadout();
    void this.context.resume();
  }
}

/** A node begins with as much silence as its latency: it hears so long before it is heard. */
const WARM_UP_MS = 100;

/** Both halves of a pair are scheduled for the same moment in the near future. */
const PAIR_START_S = 0.05;

/** Ask for the microphone. rejects DOMException as getUserMedia does; "NotFoundError" too where there is no such thing */
export async function openMicrophone(): Promise<MediaStream> {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new DOMException("the browser offers microphones only to pages served over HTTPS", "NotFoundError");
  }
  return navigator.mediaDevices.getUserMedia({ audio: MICROPHONE });
}
