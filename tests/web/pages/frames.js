// The frame path: a kernel that is too slow, a Worker that does not come, the bytes of known frames.

import { MODELS, SuppressedTrack, suppressTrack } from "/dist/sordino.js";
import { levelsOf, logOf, RATE, toneTrack } from "./sounds.js";

const SLOW = { engine: "simd128", assets: { simd128: "/built/faulty.wasm" }, attenuationLimitDb: 21, retryMs: 200 };

/** The Worker's kernel is too slow, whatever the model, and later fast. */
export async function slowFrames() {
  const { track, close } = await toneTrack();
  const suppressed = new SuppressedTrack(track, { ...SLOW, path: "frames" });
  const steps = [];
  const bypassed = new Promise((resolve) => {
    suppressed.addEventListener("overrun", ({ detail }) => {
      if (detail.action !== "none") steps.push([detail.action, detail.model]);
      if (detail.action === "bypass") resolve();
    });
  });
  await bypassed;
  const during = suppressed.suppressing;
  const ready = new Promise((resolve) => suppressed.addEventListener("ready", resolve));
  suppressed.update({ attenuationLimitDb: Number.POSITIVE_INFINITY });
  await ready;
  const answer = { steps, during, after: suppressed.suppressing, model: suppressed.frames.model, models: MODELS };
  suppressed.stop();
  await close();
  return answer;
}

/** The Worker's script does not arrive: the worklet path takes over, for the next source too. */
export async function noWorker() {
  const { track, close } = await toneTrack();
  const { track: other, close: closeOther } = await toneTrack(1, 0.25);
  const suppressed = new SuppressedTrack(track, {
    path: "frames",
    assets: { worker: "/nowhere.js" },
    attenuationLimitDb: 6,
    overrunPolicy: "ignore",
  });
  const log = logOf(suppressed);
  await suppressed.started;
  const levels = [(await levelsOf(suppressed.track, 500)).at(-1)];
  suppressed.replaceSource(other);
  levels.push((await levelsOf(suppressed.track, 500)).at(-1));
  const { suppressing, state } = suppressed;
  suppressed.stop();
  await Promise.all([close(), closeOther()]);
  return { log, levels, suppressing, states: [state, suppressed.state] };
}

/**
 * A track on the frame path that is fed by hand. Returns it, and exchange(frame, data, output): a frame of 480 samples
 * goes in, those that come out are written to the output; the number of the frame that they belong to is returned.
 */
async function fedByHand(options) {
  const generator = new MediaStreamTrackGenerator({ kind: "audio" });
  const writer = generator.writable.getWriter();
  const suppressed = await suppressTrack(generator, { ...options, path: "frames" });
  const reader = new MediaStreamTrackProcessor({ track: suppressed.track }).readable.getReader();
  const shape = { format: "f32-planar", sampleRate: RATE, numberOfFrames: 480, numberOfChannels: 1 };
  const exchange = async (frame, data, output) => {
    await writer.write(new AudioData({ ...shape, timestamp: 10_000 * frame, data }));
    const { value } = await reader.read();
    const { timestamp } = value;
    value.copyTo(output, { planeIndex: 0, format: "f32-planar" });
    value.close();
    return Math.round(timestamp / 10_000);
  };
  return { suppressed, exchange };
}

/**
 * A Worker that throws once, in the middle: frame by frame until suppression has been back for 100 ms.
 * Returns for every frame whether it came out as it went in, what was told, and the latency at every "fallback" and "ready".
 */
export async function throwingWorker(worker) {
  const { suppressed, exchange } = await fedByHand({ retryMs: 200, overrunPolicy: "ignore", assets: { worker } });
  const log = logOf(suppressed);
  const latencies = [];
  for (const type of ["fallback", "ready"]) {
    suppressed.addEventListener(type, () => latencies.push(suppressed.latency.samples));
  }
  const data = Float32Array.from({ length: 480 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * i) / 480));
  const output = new Float32Array(480);
  const unchanged = [];
  for (let frame = 0, ready = 0; frame < 1000 || ready < 10; frame++) {
    await exchange(frame, data.slice(), output);
    unchanged.push(output.every((sample, i) => sample === data[i]));
    if (log.at(-1)?.[0] === "ready") ready++;
  }
  const { suppressing } = suppressed;
  suppressed.stop();
  return { log, latencies, suppressing, unchanged };
}

/** Frames of a known signal, one by one. Returns the samples that come out after it is ready, as base64. */
export async function frameBytes({ samples, frames, options }) {
  const signal = new Float32Array(await (await fetch(samples)).arrayBuffer());
  const { suppressed, exchange } = await fedByHand(options);
  const output = new Float32Array(480 * frames);
  const part = (frame) => [480 * frame, 480 * (frame + 1)];
  let lost = 0;
  for (let frame = 0; frame < frames; frame++) {
    const found = await exchange(frame, signal.slice(...part(frame)), output.subarray(...part(frame)));
    if (found !== frame) lost++;
  }
  const { latencySamples } = suppressed.frames;
  suppressed.stop();
  const bytes = new Uint8Array(output.buffer);
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192)
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return { output: btoa(text), latencySamples, lost };
}
