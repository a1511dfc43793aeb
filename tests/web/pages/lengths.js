// The frame path fed by hand with frames of any length, rate and channel count, one after the other.

import { suppressTrack } from "/dist/sordino.js";
import { logOf } from "./sounds.js";

const BLOCK_S = 0.01;

function base64(floats) {
  const bytes = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return btoa(text);
}

function frameOf(signal, [length, sampleRate, numberOfChannels], at, timestamp) {
  const part = signal.subarray(at, at + length);
  const data = new Float32Array(length * numberOfChannels);
  for (let c = 0; c < numberOfChannels; c++) data.set(part, c * length);
  return new AudioData({ format: "f32-planar", sampleRate, numberOfFrames: length, numberOfChannels, timestamp, data });
}

/**
 * samples   address of the signal, which is taken as it is whatever the rate
 * pattern   [length, rate, channels, gap before it in s] of the frames, over and over
 * total     samples to feed
 * Returns the first channel of what came out as base64, its parts as [samples, rate, channels, timestamp], the log.
 */
export async function feed({ samples, pattern, total }) {
  const signal = new Float32Array(await (await fetch(samples)).arrayBuffer()).slice(0, total);
  const generator = new MediaStreamTrackGenerator({ kind: "audio" });
  const writer = generator.writable.getWriter();
  const suppressed = await suppressTrack(generator, { path: "frames", overrunPolicy: "ignore" });
  const log = logOf(suppressed);
  const reader = new MediaStreamTrackProcessor({ track: suppressed.track }).readable.getReader();
  const [parts, pieces] = [[], []];
  let [fed, given, at, time] = [0, 0, 0, 0];
  for (let i = 0; at < signal.length; i++) {
    const [length, rate, channels, gap = 0] = pattern[i % pattern.length];
    const count = Math.min(length, signal.length - at);
    time += gap;
    await writer.write(frameOf(signal, [count, rate, channels], at, Math.round(1e6 * time)));
    at += count;
    fed += count / rate;
    time += count / rate;
    while (given + 1.6 * BLOCK_S < fed) {
      const { value } = await reader.read();
      const { numberOfFrames, sampleRate, numberOfChannels, timestamp } = value;
      const piece = new Float32Array(numberOfFrames);
      value.copyTo(piece, { planeIndex: 0, format: "f32-planar" });
      value.close();
      pieces.push(...piece);
      parts.push([numberOfFrames, sampleRate, numberOfChannels, timestamp]);
      given += numberOfFrames / sampleRate;
    }
  }
  const { suppressing, state } = suppressed;
  suppressed.stop();
  return { output: base64(Float32Array.from(pieces)), parts, log, suppressing, state, fed, given };
}
