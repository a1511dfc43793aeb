// In which state a stream is, and what it says of it, when an app gets stuck; a call whose other side is the source.

import { SordinoNode, SuppressedTrack, suppressTrack } from "/dist/sordino.js";
import { isHeard, logOf, RATE, toneTrack, wait } from "./sounds.js";

/** Every "state" of a target, as it comes. */
function statesOf(target) {
  const states = [];
  target.addEventListener("state", ({ detail }) => states.push(detail.state));
  return states;
}

/** Until a state has come, for half a minute. */
async function until(target, state) {
  for (let i = 0; i < 600 && target.state !== state; i++) await wait(50);
  return [target.state, target.suppressing];
}

/** A node: without a source, with one, bypassed, silent, suspended, running again, closed. Returns [state, suppressing]. */
export async function nodeStates() {
  const context = new AudioContext({ sampleRate: RATE });
  const node = await SordinoNode.create(context, { overrunPolicy: "ignore" });
  const [states, log, found] = [statesOf(node), logOf(node), []];
  node.connect(context.destination);
  found.push(await until(node, "no-input"));
  const tone = new OscillatorNode(context, { frequency: 100 });
  const level = new GainNode(context, { gain: 0.1 });
  tone.connect(level).connect(node);
  tone.start();
  found.push(await until(node, "suppressing"));
  node.bypass = true;
  found.push(await until(node, "bypass"));
  node.bypass = false;
  found.push(await until(node, "suppressing"));
  level.gain.value = 0;
  found.push(await until(node, "silent"));
  level.gain.value = 0.1;
  found.push(await until(node, "suppressing"));
  await context.suspend();
  found.push(await until(node, "suspended"));
  await context.resume();
  found.push(await until(node, "suppressing"));
  await context.close();
  found.push(await until(node, "ended"));
  return { found, states, log };
}

/** An audio thread that is not called although its context is said to run. */
export async function stalledNode() {
  const context = new AudioContext({ sampleRate: RATE });
  const node = await SordinoNode.create(context, { overrunPolicy: "ignore" });
  const tone = new OscillatorNode(context);
  tone.connect(node).connect(context.destination);
  tone.start();
  const log = logOf(node);
  const found = [await until(node, "suppressing")];
  Object.defineProperty(context, "state", { get: () => "running", configurable: true });
  await AudioContext.prototype.suspend.call(context);
  found.push(await until(node, "stalled"));
  await context.resume();
  found.push(await until(node, "suppressing"));
  delete context.state;
  await context.close();
  return { found, log };
}

/** A track: its source muted by the platform, and no longer; on the frame path also without frames. */
export async function trackStates(path) {
  const { track, close } = await toneTrack(1, 0.1);
  const suppressed = await suppressTrack(track, { path, overrunPolicy: "ignore" });
  const states = statesOf(suppressed);
  const found = [await until(suppressed, "suppressing")];
  let muted = true;
  Object.defineProperty(track, "muted", { get: () => muted });
  track.dispatchEvent(new Event("mute"));
  found.push(await until(suppressed, "muted"));
  muted = false;
  track.dispatchEvent(new Event("unmute"));
  found.push(await until(suppressed, "suppressing"));
  if (path === "frames") {
    suppressed.replaceSource(new MediaStreamTrackGenerator({ kind: "audio" }));
    found.push(await until(suppressed, "no-input"));
    suppressed.replaceSource(track);
    found.push(await until(suppressed, "suppressing"));
  }
  suppressed.stop();
  found.push(await until(suppressed, "ended"));
  await close();
  return { found, states };
}

/** A Worker that is there and then is not. */
export async function deadWorker() {
  const { track, close } = await toneTrack(1, 0.1);
  const workers = [];
  const Real = globalThis.Worker;
  globalThis.Worker = class extends Real {
    constructor(...from) {
      super(...from);
      workers.push(this);
    }
  };
  const suppressed = await suppressTrack(track, { path: "frames", overrunPolicy: "ignore" });
  globalThis.Worker = Real;
  const log = logOf(suppressed);
  let ended = 0;
  suppressed.track.addEventListener("ended", () => ended++);
  const found = [await until(suppressed, "suppressing")];
  workers[0].terminate();
  found.push(await until(suppressed, "stalled"));
  found.push(await until(suppressed, "ended"));
  await close();
  return { found, log, ended, readyState: suppressed.track.readyState };
}

/** The other side's voice is the source, in a call of this page with itself. */
export async function remoteVoice(path) {
  const { track, close } = await toneTrack(1, 0.3);
  const [here, there] = [new RTCPeerConnection(), new RTCPeerConnection()];
  here.onicecandidate = ({ candidate }) => there.addIceCandidate(candidate);
  there.onicecandidate = ({ candidate }) => here.addIceCandidate(candidate);
  const arrived = new Promise((resolve) => {
    there.ontrack = (event) => resolve(event.track);
  });
  here.addTrack(track, new MediaStream([track]));
  await here.setLocalDescription();
  await there.setRemoteDescription(here.localDescription);
  await there.setLocalDescription();
  await here.setRemoteDescription(there.localDescription);
  const suppressed = await suppressTrack(await arrived, { path, overrunPolicy: "ignore", attenuationLimitDb: 6 });
  const heard = await isHeard(suppressed.track);
  gc();
  const stays = await isHeard(suppressed.track);
  const { frames, state, suppressing } = suppressed;
  suppressed.stop();
  here.close();
  there.close();
  await close();
  return { heard, stays, frames: frames !== undefined, state, suppressing };
}

/** A track on the frame path under whatever the page allows: what it tells, whether it is heard, by which way. */
export async function takeOver(options) {
  const { track, close } = await toneTrack(1, 0.3);
  const common = { path: "frames", overrunPolicy: "ignore", attenuationLimitDb: 6 };
  const suppressed = new SuppressedTrack(track, { ...options, ...common });
  const log = logOf(suppressed);
  const messages = [];
  suppressed.addEventListener("error", ({ error }) => messages.push(error.message));
  await suppressed.started;
  const [state, suppressing] = await until(suppressed, "suppressing");
  const heard = await isHeard(suppressed.track);
  await suppressed.setModel("tiny");
  const answer = { log, messages, state, suppressing, heard, latency: suppressed.latency.samples };
  suppressed.stop();
  await close();
  return answer;
}

/** The states that a track tells whose start fails. */
export async function failedStart(path, assets) {
  const { track, close } = await toneTrack(1, 0.3);
  const suppressed = new SuppressedTrack(track, { path, assets, overrunPolicy: "ignore" });
  const states = statesOf(suppressed);
  await suppressed.started;
  await wait(100);
  const answer = { states, state: suppressed.state, heard: await isHeard(suppressed.track) };
  suppressed.stop();
  await close();
  return answer;
}

/** What create() says, with the length of its message. */
export async function createError(options) {
  const context = new OfflineAudioContext(1, RATE, RATE);
  return SordinoNode.create(context, options).then(
    () => "created",
    ({ code, message }) => ({ code, message }),
  );
}
