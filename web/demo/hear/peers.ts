// Page thread: the systems the page compares itself with, from the npm package @sapphi-red/web-noise-suppressor.

import { GtcrnWorkletNode, loadGtcrn, loadRnnoise, RnnoiseWorkletNode } from "@sapphi-red/web-noise-suppressor";
import { inKilohertz } from "../page/dom.js";
import { lagOf } from "./lag.js";
import { fetchScene } from "./scenes.js";

export const PEERS = ["rnnoise", "gtcrn"] as const;
export type Peer = (typeof PEERS)[number];

export const PEER_NAMES: Readonly<Record<Peer, string>> = { rnnoise: "RNNoise", gtcrn: "GTCRN" };

const FOLDER = "peers/";
const CHANNELS = 2;
/** The scene whose beginning everything is measured with. */
const PROBE_SCENE = "rain";
const PROBE_S = 3;
const SAMPLE_RATE = 48_000;
/** A peer that works is heard within this time. */
const HEAD_S = 0.2;
const FIRST_WAIT_MS = 100;
const LAST_WAIT_MS = 3200;

/** What makes a peer's node in a context. */
type MakePeer = (context: BaseAudioContext) => AudioNode;

/** Fetch a peer's script and module. rejects Error when they do not arrive or the browser refuses them */
async function prepare(peer: Peer, context: BaseAudioContext): Promise<MakePeer> {
  await context.audioWorklet.addModule(`${FOLDER}${peer}Worklet.js`);
  const audio = (any: BaseAudioContext): AudioContext => any as AudioContext;
  if (peer === "gtcrn") {
    const wasmBinary = await loadGtcrn({ url: `${FOLDER}gtcrn.wasm` });
    return (any) => new GtcrnWorkletNode(audio(any), { wasmBinary, maxChannels: CHANNELS });
  }
  const wasmBinary = await loadRnnoise({ url: `${FOLDER}rnnoise.wasm`, simdUrl: `${FOLDER}rnnoise_simd.wasm` });
  return (any) => new RnnoiseWorkletNode(audio(any), { wasmBinary, maxChannels: CHANNELS });
}

export interface LoadedPeer {
  readonly node: AudioNode;
  readonly latencySamples: number;
}

/**
 * A peer's node in a context, and the latency that was measured by playing speech through another one of its kind.
 *
 * rejects  Error, also when the context does not run at 48 kHz, which the peers take for granted
 */
export async function loadPeer(peer: Peer, context: AudioContext): Promise<LoadedPeer> {
  if (context.sampleRate !== SAMPLE_RATE) {
    const rate = inKilohertz(context.sampleRate);
    throw new Error(`${PEER_NAMES[peer]} works at 48 kHz only, and this plays at ${rate}. Compare the two on a scene.`);
  }
  const [make, latencySamples] = await Promise.all([prepare(peer, context), measurePeer(peer)]);
  return { node: make(context), latencySamples };
}

/** Samples between what goes into a peer and what comes out, by cross-correlation of noisy speech. */
async function measurePeer(peer: Peer): Promise<number> {
  const buffer = await decodeProbe();
  const { output } = await renderPeer(peer, buffer);
  return lagOf(buffer.getChannelData(0), output);
}

/** Seconds of real time that a peer takes for a second of sound in a graph that does not wait. */
export async function costOfPeer(peer: Peer): Promise<number> {
  const buffer = await decodeProbe();
  const { seconds } = await renderPeer(peer, buffer);
  return seconds / buffer.duration;
}

/** The recording that all systems are measured with: noisy speech, 48 kHz, mono. */
export async function decodeProbe(): Promise<AudioBuffer> {
  const whole = await new OfflineAudioContext(1, 1, SAMPLE_RATE).decodeAudioData(await fetchScene(PROBE_SCENE));
  const part = new AudioBuffer({ length: PROBE_S * SAMPLE_RATE, sampleRate: SAMPLE_RATE });
  part.copyToChannel(whole.getChannelData(0).subarray(0, part.length), 0);
  return part;
}

/**
 * Lead a recording through a peer. The peers start their modules without saying when that is done, and are silent until
 * then: what begins with silence is rendered again, after a longer wait.
 *
 * rejects  Error when a peer stays silent
 */
async function renderPeer(peer: Peer, buffer: AudioBuffer): Promise<{ output: Float32Array; seconds: number }> {
  for (let waitMs = FIRST_WAIT_MS; waitMs <= LAST_WAIT_MS; waitMs *= 2) {
    const offline = new OfflineAudioContext(1, buffer.length, buffer.sampleRate);
    const node = (await prepare(peer, offline))(offline);
    const source = new AudioBufferSourceNode(offline, { buffer });
    source.connect(node).connect(offline.destination);
    source.start();
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    const start = performance.now();
    const output = (await offline.startRendering()).getChannelData(0);
    const seconds = (performance.now() - start) / 1000;
    if (output.subarray(0, HEAD_S * SAMPLE_RATE).some((sample) => sample !== 0)) return { output, seconds };
  }
  throw new Error(`${PEER_NAMES[peer]} did not start in this browser`);
}
