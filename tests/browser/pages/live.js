// Real-time audio graphs: a clip, the fake microphone or a call goes in; what came in and what went out is recorded.

import { SordinoNode } from "/dist/sordino.js";
import { fetchSamples } from "./kernel.js";

const RATE = 48000;
/** WebKit at times lets one node begin some quanta before another; what is played begins when all run. */
const LEAD_S = 0.05;

/** Float32Array -> base64 of its bytes, for the way back to Python. */
export function encode(samples) {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return btoa(text);
}

/** A context that stands still until everything in it is connected, so that all nodes see the same first quantum. */
async function stillContext() {
  const context = new AudioContext({ sampleRate: RATE });
  await context.suspend();
  await context.audioWorklet.addModule("/pages/recorder.worklet.js");
  return context;
}

/** Record nodes side by side once the context runs. Returns a function that waits for so many samples of each. */
function recorderFor(context, nodes) {
  const recorder = new AudioWorkletNode(context, "recorder", { numberOfInputs: nodes.length, numberOfOutputs: 1 });
  for (const [input, node] of nodes.entries()) node.connect(recorder, 0, input);
  recorder.connect(context.destination);
  return (wanted) =>
    new Promise((resolve) => {
      const tracks = nodes.map(() => new Float32Array(wanted));
      let filled = 0;
      recorder.port.onmessage = ({ data }) => {
        for (const parts of data) {
          if (filled >= wanted) break;
          for (const [track, part] of parts.entries()) tracks[track].set(part.subarray(0, wanted - filled), filled);
          filled += parts[0].length;
        }
        if (filled >= wanted) resolve(tracks);
      };
    });
}

async function clipSource(context, clip, loop = false) {
  const samples = await fetchSamples(clip);
  const buffer = new AudioBuffer({ length: samples.length, sampleRate: RATE });
  buffer.copyToChannel(samples, 0);
  return new AudioBufferSourceNode(context, { buffer, loop });
}

async function recordThroughSordino(context, source, samples) {
  const node = await SordinoNode.create(context);
  source.connect(node);
  const record = recorderFor(context, [source, node]);
  const recording = record(samples);
  source.start?.(context.currentTime + LEAD_S);
  await context.resume();
  const [input, output] = await recording;
  const answer = {
    input: encode(input),
    output: encode(output),
    latency: node.latency.samples,
    engine: node.engine,
    memoryBytes: (await node.read()).stats.memoryBytes,
  };
  node.destroy();
  await context.close();
  return answer;
}

/** A clip in real time. clip  address of float32 samples; samples  how many to record. */
export async function playClip({ clip, samples }) {
  const context = await stillContext();
  return recordThroughSordino(context, await clipSource(context, clip), samples);
}

/** The microphone, with the browser's own processing off. */
export async function useMicrophone({ samples }) {
  const processing = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: processing });
  const context = await stillContext();
  const answer = await recordThroughSordino(
    context,
    new MediaStreamAudioSourceNode(context, { mediaStream: stream }),
    samples,
  );
  for (const track of stream.getTracks()) track.stop();
  return answer;
}

/** Two connected peers on this page. Returns the stream that arrives at the far end. */
async function call(near, far, stream) {
  near.onicecandidate = ({ candidate }) => candidate && far.addIceCandidate(candidate);
  far.onicecandidate = ({ candidate }) => candidate && near.addIceCandidate(candidate);
  const arrived = new Promise((resolve) => {
    far.ontrack = ({ streams, track }) => resolve(streams[0] ?? new MediaStream([track]));
  });
  for (const track of stream.getTracks()) near.addTrack(track, stream);
  await near.setLocalDescription();
  await far.setRemoteDescription(near.localDescription);
  await far.setLocalDescription();
  await near.setRemoteDescription(far.localDescription);
  return arrived;
}

/** A clip sent over a loopback call, through Sordino or as it is; returns what the far end hears.
 *  settle  samples to let pass until the call's own buffers have settled */
export async function callFarEnd({ clip, samples, settle, cleaned }) {
  const context = new AudioContext({ sampleRate: RATE });
  await context.audioWorklet.addModule("/pages/recorder.worklet.js");
  const source = await clipSource(context, clip, true);
  const sender = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  const node = cleaned ? await SordinoNode.create(context) : new GainNode(context);
  source.connect(node).connect(sender);
  const near = new RTCPeerConnection();
  const far = new RTCPeerConnection();
  const stream = await call(near, far, sender.stream);
  // Chromium plays a remote track into a graph only when a media element uses it too.
  const listener = new Audio();
  listener.muted = true;
  listener.srcObject = stream;
  await listener.play();
  const record = recorderFor(context, [new MediaStreamAudioSourceNode(context, { mediaStream: stream })]);
  source.start();
  await context.resume();
  const [heard] = await record(settle + samples);
  near.close();
  far.close();
  await context.close();
  return { output: encode(heard.subarray(settle)) };
}
