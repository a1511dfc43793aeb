// What every bundler has to build: the package, all its sub-paths, and something that runs them.

import { SordinoNode, suppressTrack } from "sordino";
import { SordinoPlugin } from "sordino/100ms";
import { SordinoEffect } from "sordino/jitsi";
import { SordinoProcessor } from "sordino/livekit";
import { SordinoAudioProcessor } from "sordino/twilio";
import { SuppressedSender } from "sordino/webrtc";

const RATE = 48000;
const OTHER_RATE = 44100;

/** Noise through a node, offline; then, where the browser can, a track through the frame path. */
globalThis.probe = async () => {
  const context = new OfflineAudioContext(1, RATE, RATE);
  const node = await SordinoNode.create(context);
  const buffer = new AudioBuffer({ length: RATE, sampleRate: RATE });
  const samples = buffer.getChannelData(0);
  for (let i = 0; i < RATE; i++) samples[i] = 0.1 * (Math.random() - 0.5);
  const energy = (x) => x.reduce((sum, v) => sum + v * v, 0);
  const noisy = energy(samples.subarray(RATE / 2));
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(node).connect(context.destination);
  source.start();
  const output = (await context.startRendering()).getChannelData(0);
  const names = [SordinoPlugin, SordinoEffect, SordinoProcessor, SordinoAudioProcessor, SuppressedSender];
  return {
    latency: node.latency.samples,
    engine: node.engine,
    left: energy(output.subarray(RATE / 2)) / noisy,
    adapters: names.filter((name) => typeof name === "function").length,
  };
};

/** A synthetic track, of another rate than the kernel's, through suppressTrack by one of its paths. */
globalThis.probeTrack = async (path) => {
  const context = new AudioContext({ sampleRate: OTHER_RATE });
  const tone = new OscillatorNode(context);
  const destination = new MediaStreamAudioDestinationNode(context);
  tone.connect(destination);
  tone.start();
  await context.resume();
  const errors = [];
  const suppressed = await suppressTrack(destination.stream.getAudioTracks()[0], { path, overrunPolicy: "ignore" });
  suppressed.addEventListener("error", ({ message }) => errors.push(message));
  const answer = { suppressing: suppressed.suppressing, frames: suppressed.frames !== undefined, errors };
  suppressed.stop();
  await context.close();
  return answer;
};
