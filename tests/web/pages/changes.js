// What changes under a track while it is cleaned: its context, its microphone, the wish to have it cleaned at all.

import { SordinoPlugin } from "/dist/adapters/100ms.js";
import { SordinoProcessor } from "/dist/adapters/livekit.js";
import { SordinoAudioProcessor } from "/dist/adapters/twilio.js";
import { suppressSender } from "/dist/adapters/webrtc.js";
import { SordinoError, SuppressedTrack, suppressTrack } from "/dist/sordino.js";
import { isHeard, toneTrack, wait } from "./sounds.js";

/** The tone that stands for a voice is no voice: let it through. However busy the machine. */
const AUDIBLE = { attenuationLimitDb: 6, overrunPolicy: "ignore" };
const code = (error) => error.code;

/** LiveKit names another context and closes the one before; then that one is closed, and LiveKit names none. */
export async function anotherContext() {
  const { track, close } = await toneTrack();
  const first = new AudioContext();
  const second = new AudioContext();
  const processor = new SordinoProcessor(AUDIBLE);
  const answers = [];
  const look = async () => {
    const { suppressed, processedTrack } = processor;
    await suppressed.started;
    const heard = await isHeard(processedTrack);
    answers.push([[first, second].indexOf(suppressed.context), heard, suppressed.suppressing]);
  };
  await processor.init({ kind: "audio", track, audioContext: first });
  const before = processor.processedTrack;
  await processor.restart({ kind: "audio", track, audioContext: second });
  await first.close();
  await look();
  await second.close();
  await processor.restart({ kind: "audio", track });
  await look();
  await processor.destroy();
  await close();
  return { answers, before: before.readyState };
}

function refusal(act) {
  try {
    return act();
  } catch (error) {
    return code(error);
  }
}

/** The microphone of a sender is lost, really: its track ends. Another one takes its place. */
export async function lostMicrophone(path) {
  const microphone = new MediaStreamTrackGenerator({ kind: "audio" });
  const connection = new RTCPeerConnection();
  const sender = connection.addTrack(microphone);
  const cleaned = await suppressSender(sender, { ...AUDIBLE, path });
  const lost = cleaned.suppressed;
  const told = new Promise((resolve) => lost.addEventListener("fallback", ({ detail }) => resolve(detail.cause.code)));
  await microphone.writable.getWriter().close();
  const { track, close } = await toneTrack();
  const answer = { told: await told, ended: lost.track.readyState, refused: refusal(() => lost.replaceSource(track)) };
  await cleaned.replaceSource(track);
  await cleaned.suppressed.started;
  for (let i = 0; i < 200 && sender.track !== cleaned.suppressed.track; i++) await wait(50);
  answer.sent = sender.track === cleaned.suppressed.track && cleaned.suppressed !== lost;
  answer.heard = await isHeard(sender.track);
  answer.suppressing = cleaned.suppressed.suppressing;
  await cleaned.stop();
  connection.close();
  await close();
  return answer;
}

/** The signal counts while it starts, and no longer. */
export async function givenUp(path) {
  const { track, close } = await toneTrack();
  const early = new AbortController();
  const late = new AbortController();
  const options = { path, overrunPolicy: "ignore" };
  const starting = suppressTrack(track, { ...options, signal: early.signal }).catch(code);
  early.abort();
  const answer = [await starting];
  const suppressed = await suppressTrack(track, { ...options, signal: late.signal });
  late.abort();
  answer.push(suppressed.suppressing, suppressed.track.readyState);
  suppressed.stop();
  answer.push(await suppressTrack(track, { path, signal: late.signal }).catch(code));
  await close();
  return answer;
}

/** What options that make no sense lead to: nothing is made. */
export async function refusedOptions(all) {
  const { track, close } = await toneTrack();
  const codes = await Promise.all(all.map((options) => suppressTrack(track, options).then(() => "created", code)));
  await close();
  return codes;
}

/** What adapters give back where nothing can be suppressed: something of their own, which the platform may stop. */
export async function ownInstead() {
  const { track, close } = await toneTrack();
  const stream = new MediaStream([track]);
  const processed = await new SordinoAudioProcessor({ path: "neither" }).createProcessedStream(stream);
  const heard = await isHeard(processed.getAudioTracks()[0]);
  for (const own of processed.getTracks()) own.stop();
  const context = new AudioContext();
  const source = context.createMediaStreamSource(stream);
  const plugin = new SordinoPlugin({ preset: "none" });
  const node = await plugin.processAudioTrack(context, source);
  const destination = context.createMediaStreamDestination();
  node.connect(destination);
  const passes = node !== source && (await isHeard(destination.stream.getAudioTracks()[0]));
  const state = track.readyState;
  await Promise.all([context.close(), close()]);
  return { heard, passes, state };
}

/** The fallbacks of a target, as they come. Returns a function that waits for so many of them. */
function fallbacksOf(target) {
  const seen = [];
  target.addEventListener("fallback", ({ detail }) => seen.push(detail));
  return async (count) => {
    while (seen.length < count) await wait(20);
    return seen;
  };
}

/** A plugin as 100ms calls it, with what is heard behind it. */
async function plugIn(plugin, context, track) {
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const destination = context.createMediaStreamDestination();
  (await plugin.processAudioTrack(context, source)).connect(destination);
  return destination.stream.getAudioTracks()[0];
}

/** A context at a rate that is too low: tried once, and again only when the page asks for it. */
export async function lastingCause() {
  const { track, close } = await toneTrack();
  const context = new AudioContext({ sampleRate: 4000 });
  const plugin = new SordinoPlugin({ retryMs: 1 });
  const suppressed = new SuppressedTrack(track, { context, retryMs: 1 });
  const answer = [];
  for (const target of [suppressed, plugin]) {
    const wanted = fallbacksOf(target);
    if (target === plugin) await plugIn(plugin, context, track);
    const [first] = await wanted(1);
    await wait(100);
    first.retry();
    const seen = await wanted(2);
    answer.push(seen.map(({ cause, retryInMs }) => [cause.code, retryInMs ?? "never"]));
  }
  suppressed.stop();
  plugin.stop();
  await Promise.all([context.close(), close()]);
  return answer;
}

/** Files that do not arrive: the page asks twice for another attempt as soon as it is told. Returns the fallbacks' codes. */
export async function askedTwice() {
  const { track, close } = await toneTrack();
  const context = new AudioContext();
  const options = { model: { name: "none", url: "/none.sordino" }, retryMs: 60_000 };
  const plugin = new SordinoPlugin(options);
  const targets = [plugin, ...["worklet", "frames"].map((path) => new SuppressedTrack(track, { ...options, path }))];
  const seen = targets.map(() => []);
  for (const [i, target] of targets.entries()) {
    target.addEventListener("fallback", ({ detail: { cause, retry } }) => {
      seen[i].push(cause instanceof SordinoError && cause.code);
      if (seen[i].length > 1) return;
      retry();
      retry();
    });
  }
  await plugIn(plugin, context, track);
  while (seen.some(({ length }) => length < 2)) await wait(20);
  await wait(300);
  for (const target of targets) target.stop();
  await Promise.all([context.close(), close()]);
  return seen;
}

/** The page's signal fires while 100ms's plugin starts; that of another plugin afterwards. */
export async function pluginGivenUp() {
  const { track, close } = await toneTrack();
  const context = new AudioContext();
  const early = new AbortController();
  const late = new AbortController();
  const plugin = new SordinoPlugin({ signal: early.signal });
  const fallbacks = fallbacksOf(plugin);
  const heard = plugIn(plugin, context, track);
  early.abort();
  const [{ cause, retryInMs }] = await fallbacks(1);
  const passes = await isHeard(await heard);
  const answer = [[cause.code, retryInMs ?? "never", plugin.node === undefined, passes]];
  const other = new SordinoPlugin({ signal: late.signal });
  const ready = new Promise((resolve) => other.addEventListener("ready", resolve));
  await plugIn(other, context, track);
  await ready;
  late.abort();
  answer.push(other.node.suppressing);
  plugin.stop();
  other.stop();
  await Promise.all([context.close(), close()]);
  return answer;
}
