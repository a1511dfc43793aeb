// Calls over loopback WebRTC, and what their far ends hear.

import { wait } from "./sounds.js";

/** Nothing of a microphone: -100 dBFS. */
const SILENCE = 1e-5;
/** What of the tone that stands for a voice is heard at least. */
const VOICE = 0.02;
const LONGEST_MS = 8000;
const LOOK_MS = 50;

let context;

/** Hears a remote stream. Chromium plays it into a context only where a media element uses it too. */
async function ear(stream) {
  if (!context) {
    const fresh = new AudioContext({ sampleRate: 48_000 });
    context = fresh.audioWorklet.addModule("/pages/peak.worklet.js").then(() => fresh);
  }
  const audio = new Audio();
  audio.muted = true;
  audio.srcObject = stream;
  await audio.play();
  const node = new AudioWorkletNode(await context, "peak", { numberOfOutputs: 0 });
  (await context).createMediaStreamSource(stream).connect(node);
  /** The peak since the last call; NaN where nothing at all was played. */
  return () =>
    new Promise((resolve) => {
      node.port.onmessage = ({ data: [peak, samples] }) => resolve(samples > 0 ? peak : Number.NaN);
      node.port.postMessage(0);
    });
}

/** Listens to the far end of one call. */
export class Listener {
  #peak;

  static async to(stream) {
    const made = new Listener();
    made.#peak = await ear(stream);
    return made;
  }

  /** Wait for so many milliseconds. Returns the peak in dBFS from the last look until then. */
  async level(milliseconds) {
    await wait(milliseconds);
    return Math.round(20 * Math.log10(Math.max(1e-7, await this.#peak())));
  }

  /** Whether the voice is heard, now or soon, and goes on. */
  hears() {
    return this.#becomes((peak) => peak > VOICE, 2);
  }

  /** Whether nothing is heard, now or soon, and it stays so. */
  isSilent() {
    return this.#becomes((peak) => peak <= SILENCE, 4);
  }

  async #becomes(wanted, times) {
    await this.#peak();
    for (let spent = 0, found = 0; spent < LONGEST_MS; spent += LOOK_MS) {
      await wait(LOOK_MS);
      found = wanted(await this.#peak()) ? found + 1 : 0;
      if (found === times) return true;
    }
    return false;
  }
}

export const silenceDb = 20 * Math.log10(SILENCE);

/** Opus leaves one step of 16 bits of a sound that has ended, -90 dBFS, for seconds; this one gives zeros for zeros. */
const CODEC = "audio/PCMU";

/** Answer an offer at a far end of its own, which hears what comes. Returns { answer, far, listener }. */
export async function answerTo(offer, near) {
  const far = new RTCPeerConnection();
  far.onicecandidate = ({ candidate }) => candidate && near.addIceCandidate(candidate);
  near.addEventListener("icecandidate", ({ candidate }) => candidate && far.addIceCandidate(candidate));
  const arrived = new Promise((resolve) => {
    far.ontrack = ({ streams, track }) => resolve(streams[0] ?? new MediaStream([track]));
  });
  await far.setRemoteDescription(offer);
  const { codecs } = RTCRtpReceiver.getCapabilities("audio");
  far.getTransceivers()[0].setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === CODEC));
  await far.setLocalDescription();
  return { answer: far.localDescription, far, listener: arrived.then(Listener.to) };
}

/** A call that sends a track. Returns { sender, listener, transceiver, close }. */
export async function call(track) {
  const near = new RTCPeerConnection();
  const transceiver = near.addTransceiver(track, { direction: "sendonly", streams: [new MediaStream([track])] });
  await near.setLocalDescription();
  const { answer, far, listener } = await answerTo(near.localDescription, near);
  await near.setRemoteDescription(answer);
  const close = () => {
    near.close();
    far.close();
  };
  return { sender: transceiver.sender, transceiver, listener: await listener, close };
}
