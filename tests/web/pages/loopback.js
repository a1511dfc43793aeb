// Calls over loopback WebRTC, and what arrives at their far ends: every sample on the wire, and the sound as it is played.

import { wait } from "./sounds.js";

/** Nothing of a microphone: -100 dBFS. */
const SILENCE = 1e-5;
/** What of the tone that stands for a voice is heard at least. */
const VOICE = 0.02;
const LONGEST_MS = 15_000;
/** So many packets of 20 ms without a sound are silence; so are none for so long, as where a sender has no track. */
const SILENT_PACKETS = 8;
const NO_PACKETS_MS = 600;
const LOOK_MS = 50;
const PACKET_MS = 20;
/**
 * One byte a sample, without memory, and of a whole number of zeros only zeros come. Opus is heard for seconds after a sound
 * has ended, at one step of 16 bits, which is -90 dBFS.
 */
const CODEC = "audio/PCMU";

let context;

/** The sample of a byte of G.711, mu-law. */
function sampleOf(byte) {
  const code = ~byte & 255;
  const [sign, exponent, mantissa] = [code >> 7, (code >> 4) & 7, code & 15];
  const size = (((mantissa << 3) + 132) << exponent) - 132;
  return (sign ? -size : size) / 32768;
}
const SIZES = Float64Array.from({ length: 256 }, (_, byte) => Math.abs(sampleOf(byte)));

/** Plays a remote stream. Returns a function: the peak since its last call; NaN where nothing at all was played. */
async function play(stream) {
  if (!context) {
    const fresh = new AudioContext({ sampleRate: 48_000 });
    context = fresh.audioWorklet.addModule("/pages/peak.worklet.js").then(() => fresh);
  }
  const node = new AudioWorkletNode(await context, "peak", { numberOfOutputs: 0 });
  (await context).createMediaStreamSource(stream).connect(node);
  return () =>
    new Promise((resolve) => {
      node.port.onmessage = ({ data: [peak, samples] }) => resolve(samples > 0 ? peak : Number.NaN);
      node.port.postMessage(0);
    });
}

/** Listens to the far end of one call. */
export class Listener {
  #stream;
  #peak = 0;
  #packets = 0;

  constructor(receiver, stream) {
    this.#stream = stream;
    if (receiver.createEncodedStreams) this.#readPackets(receiver);
    else void this.#readSound();
    const audio = new Audio();
    audio.muted = true;
    audio.srcObject = stream;
    void audio.play();
  }

  /** What has arrived since the last look, so many milliseconds from now. Returns { db: the peak in dBFS, packets }. */
  async level(milliseconds) {
    await wait(milliseconds);
    const { peak, packets } = this.#take();
    return { db: Math.round(20 * Math.log10(Math.max(1e-7, peak))), packets };
  }

  /** Whether the voice arrives, now or soon, and goes on. */
  hears() {
    return this.#becomes(() => this.#take().peak > VOICE, 2);
  }

  /** Whether nothing but silence arrives, now or soon. */
  isSilent() {
    let silent = 0;
    let since = performance.now();
    return this.#becomes(() => {
      const { peak, packets } = this.#take();
      if (packets > 0) since = performance.now();
      silent = peak <= SILENCE ? silent + packets : 0;
      return silent >= SILENT_PACKETS || performance.now() - since > NO_PACKETS_MS;
    }, 1);
  }

  /** Whether nothing is played, now or soon, and it stays so. */
  async playsNothing() {
    const peak = await play(this.#stream);
    return this.#becomes(async () => (await peak()) <= SILENCE, 3);
  }

  async #becomes(holds, times) {
    this.#take();
    for (let spent = 0, found = 0; spent < LONGEST_MS; spent += LOOK_MS) {
      await wait(LOOK_MS);
      found = (await holds()) ? found + 1 : 0;
      if (found === times) return true;
    }
    return false;
  }

  #readPackets(receiver) {
    const { readable, writable } = receiver.createEncodedStreams();
    const transform = (frame, controller) => {
      this.#note(new Uint8Array(frame.data));
      controller.enqueue(frame);
    };
    void readable.pipeThrough(new TransformStream({ transform })).pipeTo(writable);
  }

  /** Where the browser shows no packets (Firefox): what is played, by pieces as long as one. */
  async #readSound() {
    const peak = await play(this.#stream);
    for (;;) {
      await wait(PACKET_MS);
      const heard = await peak();
      if (Number.isNaN(heard)) continue;
      this.#peak = Math.max(this.#peak, heard);
      this.#packets++;
    }
  }

  #note(bytes) {
    for (const byte of bytes) this.#peak = Math.max(this.#peak, SIZES[byte]);
    this.#packets++;
  }

  #take() {
    const taken = { peak: this.#peak, packets: this.#packets };
    this.#peak = this.#packets = 0;
    return taken;
  }
}

export const silenceDb = 20 * Math.log10(SILENCE);

/** Answer an offer at a far end of its own, which hears what comes. Returns { answer, far, listener }. */
export async function answerTo(offer, near) {
  const far = new RTCPeerConnection({ encodedInsertableStreams: true });
  far.onicecandidate = ({ candidate }) => candidate && near.addIceCandidate(candidate);
  near.addEventListener("icecandidate", ({ candidate }) => candidate && far.addIceCandidate(candidate));
  let listener;
  far.ontrack = ({ receiver, streams, track }) => {
    listener = new Listener(receiver, streams[0] ?? new MediaStream([track]));
  };
  await far.setRemoteDescription(offer);
  const { codecs } = RTCRtpReceiver.getCapabilities("audio");
  far.getTransceivers()[0].setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === CODEC));
  await far.setLocalDescription();
  return { answer: far.localDescription, far, listener };
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
  return { sender: transceiver.sender, transceiver, listener, close, near };
}
