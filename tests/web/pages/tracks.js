// SuppressedTrack: its start, its source, its settings and its end, in real time in Chromium.

import { SordinoPlugin } from "/dist/adapters/100ms.js";
import { MICROPHONE, openMicrophone, SuppressedTrack, suppressTrack } from "/dist/sordino.js";
import { isHeard, levelsOf, logOf, RATE, toneTrack, wait } from "./sounds.js";

/** The files do not arrive, at first. Returns once the voice has been measured; finishLate() waits for the recovery. */
let late;
export async function startLate(path) {
  const { track, close } = await toneTrack();
  const model = { name: "late", url: "/late.sordino" };
  const suppressed = new SuppressedTrack(track, { path, retryMs: 300, overrunPolicy: "ignore", model });
  late = { suppressed, close, log: logOf(suppressed) };
  await suppressed.started;
  await isHeard(suppressed.track);
  return { levels: await levelsOf(suppressed.track, 400), suppressing: suppressed.suppressing, log: late.log };
}

export async function finishLate() {
  const { suppressed, close, log } = late;
  for (let i = 0; i < 100 && !suppressed.suppressing; i++) await wait(100);
  await wait(400);
  const answer = { levels: await levelsOf(suppressed.track, 300), suppressing: suppressed.suppressing, log };
  suppressed.stop();
  await close();
  return answer;
}

/** What the cleaned track says of itself, a change of its source, and the end of the source. */
export async function standIn(path) {
  const microphone = await openMicrophone();
  const suppressed = await suppressTrack(microphone, { path, attenuationLimitDb: 6, overrunPolicy: "ignore" });
  const log = logOf(suppressed);
  const heard = [];
  for (const type of ["mute", "unmute", "ended"]) suppressed.track.addEventListener(type, () => heard.push(type));
  const { echoCancellation, noiseSuppression, autoGainControl } = suppressed.track.getSettings();
  const settings = { echoCancellation, noiseSuppression, autoGainControl };
  const sameDevice = suppressed.track.getSettings().deviceId === microphone.getSettings().deviceId;
  await suppressed.track.applyConstraints({ echoCancellation: true, noiseSuppression: true });
  const constraints = suppressed.track.getConstraints();
  microphone.dispatchEvent(new Event("mute"));
  microphone.dispatchEvent(new Event("unmute"));
  const { track: other, close } = await toneTrack();
  suppressed.replaceSource(other);
  microphone.dispatchEvent(new Event("ended"));
  const secondHeard = await isHeard(suppressed.track);
  other.dispatchEvent(new Event("ended"));
  const answer = {
    settings,
    wanted: MICROPHONE,
    sameDevice,
    constraints,
    heard,
    secondHeard,
    log,
    state: suppressed.track.readyState,
  };
  microphone.stop();
  await close();
  return answer;
}

/** A browser that converts no rates, as older ones of Firefox: only a context of the track's own rate may listen to it. */
export async function refusedRates(rate) {
  const { track, close } = await toneTrack();
  const listen = AudioContext.prototype.createMediaStreamSource;
  AudioContext.prototype.createMediaStreamSource = function (stream) {
    if (this.sampleRate !== rate) throw new DOMException("different sample rates", "NotSupportedError");
    return listen.call(this, stream);
  };
  const given = new AudioContext({ sampleRate: RATE });
  const suppressed = await suppressTrack(track, { context: given });
  const answer = { rate: suppressed.context.sampleRate, suppressing: suppressed.suppressing };
  AudioContext.prototype.createMediaStreamSource = () => {
    throw new DOMException("different sample rates", "NotSupportedError");
  };
  const code = ({ code }) => code;
  const { track: other, close: closeOther } = await toneTrack();
  try {
    suppressed.replaceSource(other);
  } catch (error) {
    answer.replaced = code(error);
  }
  answer.kept = suppressed.source === track;
  answer.refused = await suppressTrack(track).catch(code);
  AudioContext.prototype.createMediaStreamSource = listen;
  suppressed.stop();
  await Promise.all([given.close(), close(), closeOther()]);
  return answer;
}

/** Settings of a track: changed before its kernel is there, and after; they are those of the node that comes. */
export async function settings() {
  const { track, close } = await toneTrack();
  const suppressed = new SuppressedTrack(track, { attenuationLimitDb: 6, overrunPolicy: "ignore" });
  suppressed.update({ preset: "strong" });
  await suppressed.started;
  const { node } = suppressed;
  const answer = [node.preset];
  suppressed.update({ bypass: true });
  answer.push(node.preset, node.bypass);
  suppressed.track.stop();
  answer.push(suppressed.suppressing, suppressed.context.state, suppressed.track.readyState, track.readyState);
  await close();
  answer.push(await suppressTrack(suppressed.track).catch(({ code }) => code));
  return answer;
}

/** "voice" of a track: told while somebody listens, and no longer. */
export async function voices(path) {
  const { track, close } = await toneTrack();
  const suppressed = new SuppressedTrack(track, { path });
  const heard = [];
  const listener = ({ detail }) => heard.push(detail.probability);
  suppressed.addEventListener("voice", listener);
  for (let i = 0; i < 200 && heard.length < 20; i++) await wait(50);
  suppressed.removeEventListener("voice", listener);
  const { stats } = await (suppressed.node ?? suppressed.frames).read();
  const told = heard.length;
  suppressed.stop();
  await close();
  return { told, frames: stats.frames, inRange: heard.every((p) => p >= 0 && p <= 1) };
}

/** Ended while a node is being made: nothing is left, and nothing is told. */
export async function stopEarly() {
  const { track, close } = await toneTrack(2);
  const suppressed = new SuppressedTrack(track);
  const log = logOf(suppressed);
  suppressed.stop();
  await suppressed.started;
  const context = new AudioContext();
  const hms = new SordinoPlugin();
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const processing = hms.processAudioTrack(context, source);
  hms.stop();
  const answer = [log, suppressed.node === undefined, (await processing) instanceof GainNode, hms.node === undefined];
  await Promise.all([context.close(), close()]);
  return answer;
}

const engine = ({ node, frames }) => node ?? frames;
const code = ({ code }) => code;

/** Another model: while the track is cleaned, before, and after its end. */
export async function model(path) {
  const { track, close } = await toneTrack();
  const options = { path, overrunPolicy: "ignore" };
  const suppressed = await suppressTrack(track, options);
  const { latency } = suppressed;
  const models = [engine(suppressed).model];
  await suppressed.setModel("tiny");
  models.push(engine(suppressed).model);
  const refused = [await suppressed.setModel("huge").catch(code)];
  refused.push(await suppressed.setModel({ name: "none", url: "/none.sordino" }).catch(code));
  const heard = [];
  suppressed.addEventListener("voice", ({ detail }) => heard.push([detail.probability, suppressed.voice]));
  while (heard.length === 0) await wait(20);
  suppressed.stop();
  refused.push(await suppressed.setModel("standard").catch(code));
  const early = new SuppressedTrack(track, options);
  await early.setModel("tiny");
  models.push(engine(early).model);
  early.stop();
  await close();
  const [told, voice] = heard[0];
  return { models, refused, latency, voice, told };
}

/** Fetch as ever, but for the files with this in their address: they come so much later. Returns how to end that. */
function delayed(part, milliseconds) {
  const { fetch } = globalThis;
  globalThis.fetch = async (url, init) => {
    if (String(url).includes(part)) await wait(milliseconds);
    return fetch(url, init);
  };
  return () => {
    globalThis.fetch = fetch;
  };
}

/** Models asked for faster than they can be changed: all at once, and while the first one is still being fetched. */
export async function modelsAtOnce(path) {
  const { track, close } = await toneTrack();
  const options = { path, overrunPolicy: "ignore" };
  const end = delayed("standard.sordino", 500);
  const suppressed = new SuppressedTrack(track, options);
  await suppressed.setModel("tiny");
  await suppressed.started;
  const models = [engine(suppressed).model];
  const asked = ["standard", "tiny", "huge", "standard", "tiny"];
  const outcomes = await Promise.all(asked.map((name) => suppressed.setModel(name).then(() => name, code)));
  models.push(engine(suppressed).model);
  end();
  suppressed.stop();
  await close();
  return { models, outcomes };
}
