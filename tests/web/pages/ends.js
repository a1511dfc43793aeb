// The ends of tracks: a source that stops, clones of the cleaned track, and what is left of a thousand of them.

import { suppressSender } from "/dist/adapters/webrtc.js";
import { openMicrophone, SuppressedTrack, suppressTrack } from "/dist/sordino.js";
import { call } from "./loopback.js";
import { isHeard, levelsOf, logOf, toneTrack, wait } from "./sounds.js";

/** The tone that stands for a voice is no voice: let it through. However busy the machine. */
const AUDIBLE = { attenuationLimitDb: 6, overrunPolicy: "ignore" };

/** Contexts and Workers of this page that live, once watch() has been called. */
const alive = { contexts: 0, workers: 0 };
function watch() {
  const { AudioContext: Context, Worker: Thread } = globalThis;
  globalThis.AudioContext = class extends Context {
    constructor(...options) {
      super(...options);
      alive.contexts++;
    }

    close() {
      alive.contexts--;
      return super.close();
    }
  };
  globalThis.Worker = class extends Thread {
    constructor(...options) {
      super(...options);
      alive.workers++;
    }

    terminate() {
      alive.workers--;
      super.terminate();
    }
  };
  return () => Object.assign(globalThis, { AudioContext: Context, Worker: Thread });
}

async function until(holds) {
  for (let i = 0; i < 400 && !holds(); i++) await wait(50);
  return holds();
}

/** The page stops the microphone, and nothing else. */
export async function stoppedSource(path) {
  const end = watch();
  const microphone = await openMicrophone();
  const suppressed = await suppressTrack(microphone, { path });
  const clone = suppressed.track.clone();
  const told = [];
  for (const track of [suppressed.track, clone]) track.addEventListener("ended", () => told.push("ended"));
  const log = logOf(suppressed);
  const lived = { ...alive };
  microphone.stop();
  await until(() => told.length === 2 && alive.contexts + alive.workers === 0);
  end();
  return {
    told,
    log,
    states: [suppressed.track, clone].map(({ readyState }) => readyState),
    lived,
    left: { ...alive },
  };
}

/** So many microphones are opened, cleaned and stopped, some at once; nothing of ours is called. used: bytes of heap */
export async function cycles(path, count, atOnce) {
  const end = watch();
  const one = async () => {
    const microphone = await openMicrophone();
    const { suppressing } = await suppressTrack(microphone, { path, overrunPolicy: "ignore" });
    microphone.stop();
    return suppressing;
  };
  let working = 0;
  for (let done = 0; done < count; done += atOnce) {
    working += (await Promise.all(Array.from({ length: atOnce }, one))).filter(Boolean).length;
  }
  await until(() => alive.contexts === 0 && alive.workers === 0);
  end();
  for (let i = 0; i < 5; i++) {
    await wait(200);
    gc();
  }
  return { working, left: { ...alive }, used: performance.memory.usedJSHeapSize };
}

/** What a clone of the cleaned track says of itself, and how it lives and ends. */
export async function clones(path) {
  const microphone = await openMicrophone();
  const suppressed = await suppressTrack(microphone, { ...AUDIBLE, path });
  const { track } = suppressed;
  const clone = track.clone();
  const names = ({ deviceId, groupId, echoCancellation, noiseSuppression }) => [
    deviceId,
    groupId,
    echoCancellation,
    noiseSuppression,
  ];
  const says = (one) => JSON.stringify([names(one.getSettings()), one.getConstraints(), one.label, one.kind]);
  const answer = { same: [track, clone, clone.clone()].map((one) => says(one) === says(microphone)) };
  track.enabled = false;
  const muted = track.clone();
  answer.enabled = [track.enabled, clone.enabled, muted.enabled, microphone.enabled];
  track.enabled = true;
  microphone.stop();
  suppressed.stop();
  return answer;
}

/** The cleaned track is stopped; its clone goes on, its clone's clone too, until the last one is. */
export async function outlived(path) {
  const { track: source, close } = await toneTrack();
  const suppressed = await suppressTrack(source, { ...AUDIBLE, path });
  const clone = suppressed.track.clone();
  suppressed.track.stop();
  const answer = { heard: await isHeard(clone), suppressing: suppressed.suppressing };
  const [second] = new MediaStream([clone]).clone().getTracks();
  clone.stop();
  answer.secondHeard = await isHeard(second);
  second.stop();
  answer.after = [suppressed.suppressing, suppressed.context?.state ?? "closed", source.readyState];
  const other = await suppressTrack(source, { ...AUDIBLE, path });
  const told = [];
  const third = other.track.clone();
  third.addEventListener("ended", () => told.push(third.readyState));
  other.stop();
  answer.told = told;
  await close();
  return answer;
}

/** Each of two twins of one source has a mute of its own; the source's is both's. Returns who is heard, and `enabled`. */
export async function twins(path) {
  const { track: source, close } = await toneTrack();
  const all = [await suppressTrack(source, { ...AUDIBLE, path }), await suppressTrack(source, { ...AUDIBLE, path })];
  const [first, second] = all.map(({ track }) => track);
  const states = () => [first, second, source].map(({ enabled }) => enabled);
  const answer = [];
  const act = async (track, enabled) => {
    track.enabled = enabled;
    await wait(300);
    const heard = await Promise.all([first, second].map(async (one) => Math.max(...(await levelsOf(one, 200))) > 0.01));
    answer.push([...states(), ...heard]);
  };
  await act(first, false);
  await act(second, false);
  await act(first, true);
  await act(source, false);
  await act(source, true);
  await act(second, true);
  for (const one of all) one.stop();
  await close();
  return answer;
}

/** Loud while muted, soft from the moment of unmuting on. Returns the peak that arrives in a call after unmuting, in dBFS. */
export async function saidWhileMuted(path, way) {
  const context = new AudioContext({ sampleRate: 48_000 });
  const level = new ConstantSourceNode(context, { offset: 0.02 });
  const tone = new OscillatorNode(context, { frequency: 200 });
  const voice = new GainNode(context, { gain: 0 });
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  level.connect(voice.gain);
  tone.connect(voice).connect(destination);
  tone.start();
  level.start();
  const source = destination.stream.getAudioTracks()[0];
  const { sender, listener, close } = await call(source);
  const sending = way === "null" && (await suppressSender(sender, { ...AUDIBLE, path }));
  const suppressed = sending ? sending.suppressed : await suppressTrack(source, { ...AUDIBLE, path });
  const other = way === "clone" ? suppressed.track.clone() : undefined;
  await sender.replaceTrack(suppressed.track);
  await wait(500);
  const muted = way === "source" ? source : suppressed.track;
  if (sending) await sender.replaceTrack(null);
  else muted.enabled = false;
  await listener.isSilent();
  level.offset.value = 1;
  await wait(600);
  const { db: whileMuted } = await listener.level(0);
  level.offset.value = 0.02;
  const analyser = new AnalyserNode(context, { fftSize: 128 });
  voice.connect(analyser);
  const last = new Float32Array(128);
  do {
    await wait(1);
    analyser.getFloatTimeDomainData(last);
  } while (last.every((x) => x === 0) || last.some((x) => Math.abs(x) > 0.03));
  if (sending) await sender.replaceTrack(suppressed.track);
  else muted.enabled = true;
  const { db } = await listener.level(500);
  suppressed.stop();
  other?.stop();
  close();
  await context.close();
  return { whileMuted, db };
}

/** Of a second source that takes over while the first is muted, and of the first when it comes back. */
export async function takenOver(path) {
  const { track: first, close: closeFirst } = await toneTrack();
  const { track: second, close: closeSecond } = await toneTrack();
  const suppressed = new SuppressedTrack(first, { ...AUDIBLE, path });
  await suppressed.started;
  const { track } = suppressed;
  const changes = [];
  suppressed.addEventListener("mutechange", () => changes.push(track.enabled));
  track.enabled = false;
  suppressed.replaceSource(second);
  const answer = [[track.enabled, first.enabled, second.enabled]];
  second.enabled = true;
  answer.push([track.enabled, await isHeard(track)]);
  suppressed.replaceSource(first);
  answer.push([track.enabled, first.enabled, await isHeard(track)]);
  suppressed.stop();
  answer.push([
    "enabled" in Object.getOwnPropertyDescriptors(first),
    "enabled" in Object.getOwnPropertyDescriptors(second),
  ]);
  await Promise.all([closeFirst(), closeSecond()]);
  return { answer, changes };
}

/** A sender that the page gives a track of its own, while its calls are under way and before; nobody else does. */
export async function ownTrack(path) {
  const { track: source, close } = await toneTrack();
  const { track: own, close: closeOwn } = await toneTrack();
  const connection = new RTCPeerConnection();
  const sender = connection.addTrack(source);
  const sending = await suppressSender(sender, { ...AUDIBLE, path });
  const { track } = sending.suppressed;
  const carries = () => ["null", "cleaned", "source", "own"][[null, track, source, own].indexOf(sender.track)];
  const answer = [carries()];
  await sender.replaceTrack(own);
  await sending.suppressed.context?.suspend();
  await sending.suppressed.context?.resume();
  await wait(200);
  answer.push(carries());
  await sending.send();
  answer.push(carries());
  const replacing = sender.replaceTrack(null);
  const stopping = sending.stop();
  await Promise.all([replacing, stopping]);
  answer.push(carries());
  await sender.replaceTrack(track);
  answer.push(carries());
  connection.close();
  await Promise.all([close(), closeOwn()]);
  return answer;
}
