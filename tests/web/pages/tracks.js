// SuppressedTrack, the frame path, senders and the adapters' contracts, in real time in Chromium.

import { SordinoPlugin } from "/dist/adapters/100ms.js";
import { SordinoEffect } from "/dist/adapters/jitsi.js";
import { SordinoProcessor } from "/dist/adapters/livekit.js";
import { SordinoAudioProcessor } from "/dist/adapters/twilio.js";
import { suppressSender } from "/dist/adapters/webrtc.js";
import { MICROPHONE, MODELS, openMicrophone, SuppressedTrack, suppressTrack } from "/dist/sordino.js";

const RATE = 48000;
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A tone as a track, like a microphone's; with stop() for its context. */
async function toneTrack(channelCount = 1, gain = 0.5) {
  const context = new AudioContext({ sampleRate: RATE });
  const tone = new OscillatorNode(context, { frequency: 100 });
  const level = new GainNode(context, { gain });
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount });
  tone.connect(level).connect(destination);
  tone.start();
  await context.resume();
  return { track: destination.stream.getAudioTracks()[0], close: () => context.close() };
}

/** RMS of a track over some time, per 100 ms. */
async function levelsOf(track, milliseconds) {
  const context = new AudioContext({ sampleRate: RATE });
  const analyser = new AnalyserNode(context, { fftSize: 4096 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  await context.resume();
  await wait(200);
  const levels = [];
  for (let spent = 0; spent < milliseconds; spent += 100) {
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    levels.push(Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length));
    await wait(100);
  }
  await context.close();
  return levels;
}

/** Whether a track carries sound, within ten seconds. */
async function isHeard(track) {
  const context = new AudioContext({ sampleRate: RATE });
  const analyser = new AnalyserNode(context, { fftSize: 4096 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  await context.resume();
  const samples = new Float32Array(analyser.fftSize);
  const loud = () => samples.some((x) => Math.abs(x) > 0.01);
  for (let i = 0; i < 200 && !loud(); i++) {
    await wait(50);
    analyser.getFloatTimeDomainData(samples);
  }
  await context.close();
  return loud();
}

const logOf = (target) => {
  const log = [];
  for (const type of ["ready", "error", "fallback"]) {
    target.addEventListener(type, ({ error, detail }) => log.push([type, error?.code ?? detail?.cause?.code ?? null]));
  }
  return log;
};

/** The files do not arrive, at first. Returns once the voice has been measured; finishLate() waits for the recovery. */
let late;
export async function startLate(path) {
  const { track, close } = await toneTrack();
  const suppressed = new SuppressedTrack(track, { path, retryMs: 300, model: { name: "late", url: "/late.sordino" } });
  late = { suppressed, close, log: logOf(suppressed) };
  await suppressed.started;
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
  const suppressed = await suppressTrack(microphone, { path, attenuationLimitDb: 6 });
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
  const suppressed = new SuppressedTrack(track, { attenuationLimitDb: 6 });
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

/** The Worker's script does not arrive: the page carries the voice, of the next source too. */
export async function noWorker() {
  const { track, close } = await toneTrack();
  const { track: other, close: closeOther } = await toneTrack(1, 0.25);
  const suppressed = new SuppressedTrack(track, { path: "frames", assets: { worker: "/nowhere.js" } });
  const log = logOf(suppressed);
  await suppressed.started;
  const levels = [Math.max(...(await levelsOf(suppressed.track, 500)))];
  suppressed.replaceSource(other);
  levels.push((await levelsOf(suppressed.track, 500)).at(-1));
  suppressed.stop();
  await Promise.all([close(), closeOther()]);
  return { log, levels, suppressing: suppressed.suppressing };
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
  const answer = [log, suppressed.node === undefined, (await processing) === source, hms.node === undefined];
  await Promise.all([context.close(), close()]);
  return answer;
}

/** A sender whose context stands still sends the source itself, and the cleaned track again afterwards. */
export async function senderAndSuspension() {
  const { track, close } = await toneTrack();
  const connection = new RTCPeerConnection();
  const sender = connection.addTrack(track);
  const cleaned = await suppressSender(sender);
  const sends = () => (sender.track === track ? "source" : sender.track === cleaned.suppressed.track ? "cleaned" : "?");
  const order = [sends()];
  const becomes = async (wanted) => {
    for (let i = 0; i < 200 && sends() !== wanted; i++) await wait(50);
    order.push(sends());
  };
  await cleaned.suppressed.context.suspend();
  await becomes("source");
  await cleaned.suppressed.context.resume();
  await becomes("cleaned");
  await cleaned.stop();
  order.push(sends());
  connection.close();
  await close();
  return order;
}

/** Frames of a known signal through the frame path, one by one. Returns the samples that come out after it is ready, as base64. */
export async function frameBytes({ samples, frames, options }) {
  const signal = new Float32Array(await (await fetch(samples)).arrayBuffer());
  const generator = new MediaStreamTrackGenerator({ kind: "audio" });
  const writer = generator.writable.getWriter();
  const suppressed = await suppressTrack(generator, { ...options, path: "frames" });
  const reader = new MediaStreamTrackProcessor({ track: suppressed.track }).readable.getReader();
  const output = new Float32Array(480 * frames);
  let lost = 0;
  for (let frame = 0; frame < frames; frame++) {
    const data = signal.slice(480 * frame, 480 * (frame + 1));
    const timestamp = 10_000 * frame;
    const shape = { format: "f32-planar", sampleRate: RATE, numberOfFrames: 480, numberOfChannels: 1 };
    await writer.write(new AudioData({ ...shape, timestamp, data }));
    const { value } = await reader.read();
    if (Math.round(value.timestamp / 10_000) !== frame) lost++;
    value.copyTo(output.subarray(480 * frame, 480 * (frame + 1)), { planeIndex: 0, format: "f32-planar" });
    value.close();
  }
  const { latencySamples } = suppressed.frames;
  suppressed.stop();
  const bytes = new Uint8Array(output.buffer);
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192)
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return { output: btoa(text), latencySamples, lost };
}

/** Each platform's calls in the order in which it makes them. */
export async function contracts() {
  const { track, close } = await toneTrack(2);
  const audioContext = new AudioContext();
  const livekit = new SordinoProcessor();
  await livekit.init({ kind: "audio", track, audioContext });
  const before = livekit.processedTrack;
  await livekit.restart({ kind: "audio", track });
  await livekit.suppressed.started;
  const livekitAnswer = [livekit.name, livekit.processedTrack === before, livekit.suppressed.suppressing];
  await livekit.destroy();

  const jitsi = new SordinoEffect();
  const stream = new MediaStream([track]);
  const started = jitsi.startEffect(stream);
  const atOnce = await isHeard(started.getAudioTracks()[0]);
  await jitsi.suppressed.started;
  const jitsiAnswer = [
    jitsi.isEnabled({ isAudioTrack: () => true }),
    started instanceof MediaStream,
    jitsi.suppressed.suppressing,
  ];
  jitsi.stopEffect();

  const twilio = new SordinoAudioProcessor();
  const processed = await twilio.createProcessedStream(stream);
  await twilio.suppressed.started;
  const twilioAnswer = [processed !== stream, twilio.suppressed.suppressing];
  await twilio.destroyProcessedStream(processed);
  twilioAnswer.push(processed.getAudioTracks()[0].readyState);

  const hms = new SordinoPlugin();
  const source = audioContext.createMediaStreamSource(stream);
  const node = await hms.processAudioTrack(audioContext, source);
  const hmsAnswer = [hms.getName(), hms.getPluginType(), hms.checkSupport(), node === hms.node];
  hms.stop();
  const broken = new SordinoPlugin({ assets: { base: "/nowhere/" } });
  const told = logOf(broken);
  const otherContext = new AudioContext();
  const otherSource = otherContext.createMediaStreamSource(stream);
  hmsAnswer.push((await broken.processAudioTrack(otherContext, otherSource)) === otherSource, told.length);
  await Promise.all([audioContext.close(), otherContext.close(), close()]);
  return { livekit: livekitAnswer, jitsi: jitsiAnswer, atOnce, twilio: twilioAnswer, hms: hmsAnswer };
}
