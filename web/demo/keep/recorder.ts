// Page thread: records what comes in and what goes out, aligned to the sample.

import { BlobSink } from "../wav/sink.js";
import { NO_EXTRAS, WavWriter } from "../wav/writer.js";

const LONGEST_S = 600;
const TRACKS = 2;

export interface Recording {
  readonly before: Blob;
  readonly after: Blob;
  readonly seconds: number;
}

const prepared = new WeakMap<BaseAudioContext, Promise<void>>();

export class Recorder {
  readonly #context: BaseAudioContext;
  readonly #node: AudioWorkletNode;
  readonly #sources: readonly AudioNode[];
  readonly #writers: readonly WavWriter[];
  #samples = 0;

  private constructor(context: BaseAudioContext, sources: readonly [AudioNode, AudioNode], onFull: () => void) {
    this.#context = context;
    this.#sources = sources;
    const format = { sampleRate: context.sampleRate, channels: 1, subtype: "PCM_16", extras: NO_EXTRAS } as const;
    this.#writers = sources.map(() => new WavWriter(new BlobSink(), format));
    const mono = { channelCount: 1, channelCountMode: "explicit" } as const;
    this.#node = new AudioWorkletNode(context, "demo-recorder", {
      numberOfInputs: TRACKS,
      numberOfOutputs: 0,
      ...mono,
    });
    this.#node.port.onmessage = ({ data }: MessageEvent<Float32Array[]>) => {
      for (const [track, samples] of data.entries()) this.#writers[track]!.write([samples], 0, samples.length);
      this.#samples += data[0]!.length;
      if (this.seconds >= LONGEST_S) onFull();
    };
    for (const [input, source] of sources.entries()) source.connect(this.#node, 0, input);
  }

  /** Begin at once. onFull: called when no more will be kept. rejects when the script does not arrive */
  static async start(
    context: BaseAudioContext,
    before: AudioNode,
    after: AudioNode,
    onFull: () => void,
  ): Promise<Recorder> {
    const script = new URL("./recorder.js", import.meta.url);
    if (!prepared.has(context)) prepared.set(context, context.audioWorklet.addModule(script));
    await prepared.get(context);
    return new Recorder(context, [before, after], onFull);
  }

  get seconds(): number {
    return this.#samples / this.#context.sampleRate;
  }

  async stop(): Promise<Recording> {
    this.#node.port.onmessage = null;
    for (const source of this.#sources) source.disconnect(this.#node);
    const files = await Promise.all(this.#writers.map((writer) => writer.finish()));
    const [before, after] = files.map((file) => new Blob([file], { type: "audio/wav" }));
    return { before: before!, after: after!, seconds: this.seconds };
  }
}
