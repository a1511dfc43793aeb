// A conference of two peers on this page over loopback WebRTC with Opus; what the far end hears is recorded.

import { suppressSender } from "/dist/adapters/webrtc.js";
import { MICROPHONE, openMicrophone } from "/dist/sordino.js";

const RATE = 48000;
const KEPT = 20 * RATE;
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
let call;

/** Two connected peers; the near one sends the track. Returns { near, far, sender, stream } */
async function connect(track) {
  const near = new RTCPeerConnection();
  const far = new RTCPeerConnection();
  near.onicecandidate = ({ candidate }) => candidate && far.addIceCandidate(candidate);
  far.onicecandidate = ({ candidate }) => candidate && near.addIceCandidate(candidate);
  const arrived = new Promise((resolve) => {
    far.ontrack = ({ streams }) => resolve(streams[0]);
  });
  const sender = near.addTrack(track, new MediaStream([track]));
  await near.setLocalDescription();
  await far.setRemoteDescription(near.localDescription);
  await far.setLocalDescription();
  await near.setRemoteDescription(far.localDescription);
  return { near, far, sender, stream: await arrived };
}

/** Play a remote stream into the recorder. Chromium does so only if a media element uses the stream too. */
async function listen(stream) {
  const listener = new Audio();
  listener.muted = true;
  listener.srcObject = stream;
  await listener.play();
  call.source?.disconnect();
  call.source = call.context.createMediaStreamSource(stream);
  call.source.connect(call.recorder);
}

/** mode: "raw", "browser" (its own noise suppression) or "sordino"; options of suppressSender */
export async function start(mode, options) {
  const context = new AudioContext({ sampleRate: RATE });
  await context.audioWorklet.addModule("/recorder/recorder.worklet.js");
  const recorder = new AudioWorkletNode(context, "recorder", { numberOfInputs: 1, numberOfOutputs: 1 });
  recorder.connect(context.destination);
  await context.resume();
  const constraints = { ...MICROPHONE, noiseSuppression: mode === "browser" };
  const microphone =
    mode === "sordino"
      ? await openMicrophone()
      : (await navigator.mediaDevices.getUserMedia({ audio: constraints })).getAudioTracks()[0];
  call = {
    context,
    recorder,
    microphone,
    heard: new Float32Array(KEPT),
    samples: 0,
    log: [],
    begin: performance.now(),
  };
  recorder.port.onmessage = ({ data }) => {
    for (const [part] of data) {
      for (let i = 0; i < part.length; i++) call.heard[(call.samples + i) % KEPT] = part[i];
      call.samples += part.length;
    }
  };
  Object.assign(call, await connect(microphone));
  if (mode === "sordino") {
    call.cleaned = await suppressSender(call.sender, options);
    call.suppressedAt = call.cleaned.suppressed.context?.currentTime;
    for (const type of ["error", "fallback", "overrun"]) {
      call.cleaned.suppressed.addEventListener(type, ({ error, detail }) => {
        call.log.push(`${type} ${error?.code ?? detail?.cause?.code ?? detail?.action}`);
      });
    }
  }
  await listen(call.stream);
}

/** What happens in real calls. */
export const events = {
  async mute() {
    call.microphone.enabled = false;
    await wait(500);
    call.microphone.enabled = true;
  },
  /** The same microphone opened again, as another device would be. */
  async switchDevice() {
    const old = call.microphone;
    call.microphone = await openMicrophone();
    await call.cleaned.replaceSource(call.microphone);
    await wait(100);
    old.stop();
  },
  /** The application takes the track away from the sender and gives it back. */
  async replaceTrack() {
    await call.sender.replaceTrack(null);
    await wait(300);
    await call.cleaned.send();
  },
  /** A new connection carries the same cleaned track. */
  async reconnect() {
    const { track } = call.cleaned.suppressed;
    call.near.close();
    call.far.close();
    Object.assign(call, await connect(track));
    await listen(call.stream);
  },
};

export const happen = (name) => events[name]();

export const sleep = (seconds) => wait(1000 * seconds);

/** End the call. Returns the last seconds as base64, what was logged, and what suppression did. */
export async function finish(seconds) {
  const length = seconds * RATE;
  const last = new Float32Array(length);
  for (let i = 0; i < length; i++) last[i] = call.heard[(call.samples - length + i + KEPT) % KEPT];
  const node = call.cleaned?.suppressed.node;
  const readout = (await node?.read()) ?? (await call.cleaned?.suppressed.frames?.read());
  const inbound = [...(await call.far.getStats()).values()].find(({ type }) => type === "inbound-rtp");
  const { concealedSamples, totalSamplesReceived } = inbound;
  const played = (call.cleaned?.suppressed.context?.currentTime ?? 0) - (call.suppressedAt ?? 0);
  const elapsed = (performance.now() - call.begin) / 1000;
  await call.cleaned?.stop();
  call.near.close();
  call.far.close();
  call.microphone.stop();
  await call.context.close();
  const bytes = new Uint8Array(last.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return {
    output: btoa(text),
    log: call.log,
    stats: readout?.stats,
    played,
    elapsed,
    concealed: concealedSamples / totalSamplesReceived,
  };
}
