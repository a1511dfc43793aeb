// SordinoNode in a real-time context: its events, failures and their ends.

import { MODELS, SordinoNode } from "/dist/sordino.js";
import { wait } from "./sounds.js";

const FAULTY = { engine: "simd128", assets: { simd128: "/built/faulty.wasm" }, retryMs: 200 };
const LIMITS_DB = { trap: 19, "not finite": 20, slow: 21 };

/** A tone through a node into a recorder. Returns the parts and `levels`, RMS per 10 ms of what came out so far. */
async function play(options) {
  const context = new AudioContext({ sampleRate: 48000 });
  await context.audioWorklet.addModule("/recorder/recorder.worklet.js");
  const node = await SordinoNode.create(context, options);
  const events = [];
  for (const type of ["ready", "error", "fallback", "overrun"]) {
    node.addEventListener(type, ({ error, detail }) => {
      events.push({
        type,
        code: error?.code ?? detail?.cause?.code,
        retryInMs: detail?.retryInMs,
        action: detail?.action,
        model: detail?.model,
      });
    });
  }
  const tone = new OscillatorNode(context, { frequency: 100 });
  const level = new GainNode(context, { gain: 0.5 });
  const recorder = new AudioWorkletNode(context, "recorder", { numberOfInputs: 1, numberOfOutputs: 1 });
  const samples = [];
  recorder.port.onmessage = ({ data }) => {
    for (const [part] of data) samples.push(...part);
  };
  tone.connect(level).connect(node).connect(recorder).connect(context.destination);
  tone.start();
  await context.resume();
  const levels = () => {
    const found = [];
    for (let start = 0; start + 480 <= samples.length; start += 480) {
      let sum = 0;
      for (let i = start; i < start + 480; i++) sum += samples[i] ** 2;
      found.push(Math.sqrt(sum / 480));
    }
    return found;
  };
  const steepest = (from) => {
    let most = 0;
    for (let i = from + 1; i < samples.length; i++) most = Math.max(most, Math.abs(samples[i] - samples[i - 1]));
    return most;
  };
  const close = async () => {
    node.destroy();
    await context.close();
  };
  return { context, node, events, levels, steepest, close };
}

const next = (node, type, seconds = 20) =>
  new Promise((resolve, reject) => {
    node.addEventListener(type, resolve, { once: true });
    setTimeout(() => reject(new Error(`no "${type}" within ${seconds} s`)), 1000 * seconds);
  });

/** The kernel breaks, is mended, and comes back by itself. Returns events and the faintest 10 ms after the start. */
export async function breakKernel(how) {
  const { node, events, levels, steepest, close } = await play({ ...FAULTY, overrunPolicy: "bypass" });
  await wait(500);
  const failed = next(node, "fallback");
  node.attenuationLimitDb = LIMITS_DB[how];
  await failed;
  const during = { suppressing: node.suppressing, latency: node.latency.samples };
  node.attenuationLimitDb = Number.POSITIVE_INFINITY;
  await next(node, "ready");
  await wait(500);
  const after = { suppressing: node.suppressing, latency: node.latency.samples };
  const settled = levels().slice(12);
  const answer = { events, faintest: Math.min(...settled), last: settled.at(-1), step: steepest(6000), during, after };
  await close();
  return answer;
}

/** Too slow for good: down the package's models, then the unchanged voice; later it is fast again and goes on. */
export async function stepDown() {
  const { node, events, levels, close } = await play({ ...FAULTY, retryMs: 3000 });
  await wait(300);
  node.attenuationLimitDb = LIMITS_DB.slow;
  while (!events.some(({ action }) => action === "bypass")) await next(node, "overrun");
  const stopped = { model: node.model, suppressing: node.suppressing };
  node.attenuationLimitDb = Number.POSITIVE_INFINITY;
  await next(node, "ready");
  const answer = { events, stopped, model: node.model, models: MODELS, faintest: Math.min(...levels().slice(12)) };
  await close();
  return answer;
}

/** Too slow: to the model that the page names. Where it cannot be had the old one goes on; else that comes back later. */
export async function stepDownTo(url) {
  const { node, events, close } = await play({ ...FAULTY, lighterModel: { name: "light", url } });
  const failed = next(node, "fallback");
  node.attenuationLimitDb = LIMITS_DB.slow;
  await failed;
  node.attenuationLimitDb = Number.POSITIVE_INFINITY;
  await next(node, "ready");
  const { model } = node;
  while (node.model !== "standard") await next(node, "ready");
  await close();
  return { events, model };
}

/** A switch to files that are none, then to one that is; the node keeps suppressing. */
export async function switchModels() {
  const { node, events, levels, close } = await play({});
  const codes = [];
  for (const url of ["/corrupt.sordino", "/foreign.sordino", "/missing.sordino"]) {
    await node.setModel({ name: "bad", url }).catch((error) => codes.push(error.code));
  }
  const { suppressing, model } = node;
  await node.setModel({ name: "copy", url: "/models/standard.sordino" });
  const answer = { codes, suppressing, model, after: node.model, events, heard: levels().length };
  await close();
  return answer;
}

/** What create() rejects with. */
export async function createCode(options, rate = 48000) {
  const context = new OfflineAudioContext(1, 48000, rate);
  return SordinoNode.create(context, options).then(
    () => "created",
    (error) => `${error.name} ${error.code}`,
  );
}

/** A context that is suspended and goes on. */
export async function suspend() {
  const { context, node, events, close } = await play({});
  await wait(300);
  await context.suspend();
  await wait(100);
  const during = node.suppressing;
  await context.resume();
  await wait(100);
  const answer = { events, during, after: node.suppressing };
  await close();
  return answer;
}

/** "voice" events and what else can be read, over a second of the noisy clip. */
export async function readOuts() {
  const samples = new Float32Array(await (await fetch("/clip.f32")).arrayBuffer());
  const context = new AudioContext({ sampleRate: 48000 });
  const node = await SordinoNode.create(context, { preset: "strong", overrunPolicy: "ignore" });
  const buffer = new AudioBuffer({ length: samples.length, sampleRate: 48000 });
  buffer.copyToChannel(samples, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(node).connect(context.destination);
  const probabilities = [];
  node.addEventListener("voice", ({ detail }) => probabilities.push(detail.probability));
  source.start();
  await context.resume();
  while (probabilities.length < 100) await wait(50);
  const readout = await node.read();
  const presets = ["conservative", "balanced", "strong"].map((preset) => {
    node.preset = preset;
    return [node.preset, node.postFilter, node.attenuationLimitDb === Number.POSITIVE_INFINITY];
  });
  const answer = { probabilities, voice: node.voice, stats: node.stats, bands: readout.gains.length, presets };
  node.destroy();
  await context.close();
  return answer;
}

/** Offline: channels, a Float32Array each, through a new node. Returns it, and what comes out per channel. */
async function render(context, channels, options) {
  const { length, sampleRate } = context;
  const node = await SordinoNode.create(context, options);
  const buffer = new AudioBuffer({ length, sampleRate, numberOfChannels: channels.length });
  for (const [i, samples] of channels.entries()) buffer.copyToChannel(samples, i);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(node).connect(context.destination);
  source.start();
  const rendered = await context.startRendering();
  return { node, outputs: channels.map((_, i) => rendered.getChannelData(i)) };
}

const impulse = (length, at, height) => new Float32Array(length).fill(height, at, at + 1);

/** Offline: quantum of a renderSizeHint and what it does to the latency; null where the browser has none. */
export async function renderSize(quantum, schedule) {
  const options = { numberOfChannels: 1, length: 24000, sampleRate: 48000, renderSizeHint: quantum };
  const context = new OfflineAudioContext(options);
  if (context.renderQuantumSize !== quantum) return null;
  const { node, outputs } = await render(context, [impulse(24000, 4801, 1)], { ...FAULTY, schedule });
  return { measured: outputs[0].findIndex((x) => Math.abs(x - 0.5) < 1e-6) - 4801, reported: node.latency.samples };
}

/** Offline in any browser: an impulse at another rate. Returns measured and reported latency. */
export async function otherRate(rate, schedule) {
  const context = new OfflineAudioContext(2, rate / 2, rate);
  const channels = [1, -0.5].map((height) => impulse(rate / 2, 1001, height));
  const { node, outputs } = await render(context, channels, { ...FAULTY, schedule });
  const [left, right] = outputs;
  let peak = 0;
  for (let i = 0; i < left.length; i++) if (Math.abs(left[i]) > Math.abs(left[peak])) peak = i;
  return { measured: peak - 1001, reported: node.latency.samples, image: right[peak] / left[peak] };
}

/** As many excerpts of a recording in one node, each on its own. Per channel: its peak, and whether it is as alone. */
export async function channelsAlone(recording, count) {
  const samples = new Float32Array(await (await fetch(recording)).arrayBuffer());
  const length = 36000;
  const excerpts = Array.from({ length: count }, (_, i) => samples.slice(48000 * i, 48000 * i + length));
  const context = (channels) => new OfflineAudioContext(channels, length, 48000);
  const { outputs } = await render(context(count), excerpts, { channels: count, linked: false });
  const found = [];
  for (const [i, excerpt] of excerpts.entries()) {
    const { outputs: alone } = await render(context(1), [excerpt], { channels: 1 });
    found.push({ peak: Math.max(...outputs[i]), same: alone[0].every((sample, at) => sample === outputs[i][at]) });
  }
  return found;
}

let home;
let collected = 0;

/** A context that lives on, as an app's does; where `beside`, with a node that stays. */
export async function openHome(beside) {
  const context = new AudioContext({ sampleRate: 48000 });
  const tone = new OscillatorNode(context);
  tone.start();
  if (beside) tone.connect(await SordinoNode.create(context)).connect(context.destination);
  home = { context, tone };
}

/**
 * Nodes made, run for a moment and destroyed in that context, whose scope then collects what nobody holds: as a rule it
 * waits for that, with a copy of the weights for every life. Returns the bytes of the last one's wasm memory.
 */
export async function cycles(count) {
  const { context, tone } = home;
  let memoryBytes = 0;
  for (let i = 0; i < count; i++) {
    const node = await SordinoNode.create(context);
    tone.connect(node).connect(context.destination);
    await wait(10);
    memoryBytes = (await node.read()).stats.memoryBytes;
    tone.disconnect(node);
    node.destroy();
  }
  await wait(200);
  for (let i = 0; i < 2; i++) await context.audioWorklet.addModule(`/gc.js?${collected++}`);
  return memoryBytes;
}

export const closeHome = () => home.context.close();
