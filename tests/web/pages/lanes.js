// One lane per adapter and path: a microphone in a call, switched on, muted, disturbed and switched off as its platform does.

import { SordinoPlugin } from "/dist/adapters/100ms.js";
import { SordinoEffect } from "/dist/adapters/jitsi.js";
import { SordinoProcessor } from "/dist/adapters/livekit.js";
import { SordinoAudioProcessor } from "/dist/adapters/twilio.js";
import { suppressSender } from "/dist/adapters/webrtc.js";
import { openMicrophone, suppressTrack } from "/dist/sordino.js";
import { answerTo, call } from "./loopback.js";
import { wait } from "./sounds.js";

const PLATFORMS = "/built/consumers/out/platforms";
/** A kernel that fails when it is told to, in the place of the real one. */
const KERNEL = { engine: "simd128", assets: { simd128: "/built/faulty.wasm" }, retryMs: 200 };
const TRAPS = { attenuationLimitDb: 19 };
const SLOW = { attenuationLimitDb: 21 };
const WORKS = { attenuationLimitDb: Number.POSITIVE_INFINITY };
const NO_MODEL = { name: "none", url: "/none.sordino" };
const MICROPHONE = { echoCancellation: true, noiseSuppression: false, autoGainControl: false };

const once = (target, type, wanted = () => true) =>
  new Promise((resolve) => target.addEventListener(type, (event) => wanted(event) && resolve(event)));

/** What all lanes have in common. `on` and `off` switch suppression, `open` and `close` a microphone. */
class Lane {
  constructor(path) {
    this.options = { ...KERNEL, path };
  }

  /** Whether the voice takes another way while the context stands still; elsewhere the far end fades what came before. */
  passesOver = false;

  /** Whether unmuting by itself leads to sound where the context stands still. */
  resumesAfter(unmute) {
    return this.passesOver || unmute !== "null";
  }

  /** What is being suppressed: something with update(), setModel() and events. */
  get stream() {
    return this.suppressed;
  }

  get context() {
    return this.suppressed.context;
  }

  get cleaned() {
    return this.suppressed.track;
  }

  async #change(changes, type, wanted) {
    const { stream, settings } = this;
    const told = once(stream, type, wanted);
    settings.update(changes);
    await told;
    settings.update(WORKS);
  }

  get settings() {
    return this.stream;
  }

  events = {
    suspend: () => this.context.suspend(),
    resume: () => this.context.resume(),
    stop: () => this.off(),
    model: () => this.settings.setModel("tiny"),
    missing: () => this.settings.setModel(NO_MODEL).catch(() => undefined),
    trap: () => this.#change(TRAPS, "fallback"),
    "step-down": () => this.#change(SLOW, "overrun", ({ detail }) => detail.action !== "none"),
    device: () => this.device(),
    destroy: () => this.destroy(),
    on: () => this.on(),
    nothing: () => undefined,
  };

  ways = {
    cleaned: [() => this.#enable(this.cleaned, false), () => this.#enable(this.cleaned, true)],
    source: [() => this.#enable(this.source, false), () => this.#enable(this.source, true)],
    sender: [() => this.#enable(this.sender.track, false), () => this.#enable(this.sender.track, true)],
    null: [() => this.#pause(), () => this.sender.replaceTrack(this.paused)],
    platform: [() => this.mute(true), () => this.mute(false)],
  };

  #enable(track, on) {
    track.enabled = on;
  }

  #pause() {
    this.paused = this.sender.track;
    return this.sender.replaceTrack(null);
  }
}

/** suppressTrack in a page that has a sender of its own. */
class Core extends Lane {
  async open() {
    this.source = await openMicrophone();
    if (this.call) await this.call.sender.replaceTrack(this.source);
    else this.call = await call(this.source);
    this.listener = this.call.listener;
    this.sender = this.call.sender;
  }

  async on() {
    this.suppressed = await suppressTrack(this.source, this.options);
    await this.#send(this.suppressed.track);
  }

  async off() {
    this.suppressed.stop();
    await this.#send(this.source);
  }

  async device() {
    const old = this.source;
    this.source = await openMicrophone();
    this.suppressed.replaceSource(this.source);
    old.stop();
  }

  destroy() {
    this.cleaned.stop();
  }

  close() {
    this.suppressed?.stop();
    this.source.stop();
    this.suppressed = undefined;
  }

  /** The page knows whether it has paused. */
  async #send(track) {
    if (this.sender.track === null) this.paused = track;
    else await this.sender.replaceTrack(track);
  }
}

class Sender extends Core {
  passesOver = true;

  async on() {
    this.suppressing = await suppressSender(this.sender, this.options);
    this.suppressed = this.suppressing.suppressed;
  }

  off() {
    return this.suppressing.stop();
  }

  async device() {
    const old = this.source;
    this.source = await openMicrophone();
    await this.suppressing.replaceSource(this.source);
    old.stop();
  }

  async close() {
    await this.suppressing?.stop();
    super.close();
  }
}

class LiveKit extends Lane {
  async open() {
    const { LocalAudioTrack } = await import(`${PLATFORMS}/livekit.js`);
    this.audioContext = new AudioContext();
    const microphone = await openMicrophone();
    this.track = new LocalAudioTrack(microphone, MICROPHONE, false, this.audioContext);
    this.track.source = "microphone";
    if (this.call) await this.call.sender.replaceTrack(microphone);
    else this.call = await call(microphone);
    this.listener = this.call.listener;
    this.sender = this.track.sender = this.call.sender;
  }

  get source() {
    return this.track._mediaStreamTrack;
  }

  get suppressed() {
    return this.processor.suppressed;
  }

  async on() {
    this.processor = new SordinoProcessor(this.options);
    await this.track.setProcessor(this.processor);
    await this.suppressed?.started;
  }

  off() {
    return this.track.stopProcessor();
  }

  mute(on) {
    return on ? this.track.mute() : this.track.unmute();
  }

  device() {
    return this.track.restartTrack();
  }

  destroy() {
    this.track.stop();
  }

  async close() {
    this.track.stop();
    await this.audioContext.close();
  }
}

/** LiveKit's pause of what is sent, which is replaceTrack(null). */
class LiveKitPaused extends LiveKit {
  resumesAfter() {
    return false;
  }

  mute(on) {
    return on ? this.track.pauseUpstream() : this.track.resumeUpstream();
  }
}

/** LiveKit's mute that stops the microphone. */
class LiveKitStopped extends LiveKit {
  async open() {
    await super.open();
    this.track.stopOnMute = true;
  }
}

class Jitsi extends Lane {
  async open() {
    this.track = await this.#create();
    if (this.call) await this.call.sender.replaceTrack(this.track.getTrack());
    else this.call = await call(this.track.getTrack());
    this.listener = this.call.listener;
    this.sender = this.call.sender;
    this.source = this.track.getTrack();
  }

  get suppressed() {
    return this.effect.suppressed;
  }

  get cleaned() {
    return this.track.getTrack();
  }

  async on() {
    this.effect = new SordinoEffect(this.options);
    await this.track.setEffect(this.effect);
    await this.#send();
    await this.suppressed.started;
  }

  async off() {
    await this.track.setEffect(undefined);
    await this.#send();
  }

  mute(on) {
    return on ? this.track.mute() : this.track.unmute();
  }

  /** As jitsi-meet does it: another local track, muted as the one before, with an effect of its own. */
  async device() {
    const old = this.track;
    this.track = await this.#create();
    this.source = this.track.getTrack();
    if (old.isMuted()) await this.track.mute();
    await this.on();
    await old.dispose();
  }

  async destroy() {
    await this.track.dispose();
  }

  async close() {
    await this.track.dispose();
  }

  async #create() {
    const jitsi = globalThis.JitsiMeetJS;
    const [track] = await jitsi.createLocalTracks({ devices: ["audio"] });
    return track;
  }

  async #send() {
    const track = this.track.getTrack();
    if (this.sender.track === null) this.paused = track;
    else await this.sender.replaceTrack(track);
  }
}

class Twilio extends Lane {
  async open() {
    const { AudioHelper, AudioProcessorEventObserver, PeerConnection } = await import(`${PLATFORMS}/twilio.js`);
    const audioProcessorEventObserver = new AudioProcessorEventObserver();
    const changed = async (stream) => stream && (await this.peer.setInputTracksFromStream(stream));
    const getUserMedia = (wanted) => {
      const audio = { ...wanted.audio, ...MICROPHONE };
      return navigator.mediaDevices.getUserMedia({ audio });
    };
    this.audio = new AudioHelper(async () => undefined, changed, { audioProcessorEventObserver, getUserMedia });
    const signalling = { status: "connected", on: (type, heard) => type === "answer" && answers.push(heard) };
    const answers = [];
    signalling.removeListener = () => undefined;
    this.peer = new PeerConnection(this.audio, signalling, { codecPreferences: ["pcmu"] });
    while (this.audio.availableInputDevices.size === 0) await wait(20);
    await this.audio.setInputDevice([...this.audio.availableInputDevices.keys()][0]);
    const connected = new Promise((resolve) => {
      signalling.invite = async (sdp) => {
        const answered = await answerTo({ type: "offer", sdp }, this.peer.version.pc);
        for (const heard of answers) heard({ sdp: answered.answer.sdp });
        resolve(answered);
      };
    });
    this.peer.makeOutgoingCall({}, undefined, "call", {}, () => undefined);
    const { far, listener } = await connected;
    this.far = far;
    this.listener = await listener;
    this.sender = this.peer.version.pc.getSenders()[0];
    this.peer._sender = this.sender;
  }

  get source() {
    return this.suppressed?.source ?? this.sender.track;
  }

  get suppressed() {
    return this.processor?.suppressed;
  }

  async on() {
    this.processor = new SordinoAudioProcessor(this.options);
    await this.audio.addProcessor(this.processor);
    await this.suppressed.started;
  }

  async off() {
    await this.audio.removeProcessor(this.processor);
  }

  mute(on) {
    this.peer.mute(on);
  }

  device() {
    return this.audio.setAudioConstraints({ channelCount: 1 });
  }

  destroy() {
    this.peer.close();
  }

  async close() {
    this.peer.close();
    await this.audio.unsetInputDevice();
    this.far.close();
    this.processor = undefined;
  }
}

class Hms extends Lane {
  resumesAfter() {
    return false;
  }

  async open() {
    const { EventBus, HMSLocalAudioTrack, HMSLocalStream } = await import(`${PLATFORMS}/hms.js`);
    const microphone = await openMicrophone();
    const stream = new HMSLocalStream(new MediaStream([microphone]));
    this.track = new HMSLocalAudioTrack(stream, microphone, "regular", new EventBus());
    this.shared = this.track.pluginsManager.audioContext;
    if (this.call) await this.call.sender.replaceTrack(microphone);
    else this.call = await call(microphone);
    this.listener = this.call.listener;
    this.sender = this.call.sender;
    this.track.transceiver = this.call.transceiver;
  }

  get source() {
    return this.track.nativeTrack;
  }

  get stream() {
    return this.plugin;
  }

  get settings() {
    return this.plugin.node;
  }

  get context() {
    return this.shared;
  }

  async on() {
    this.plugin = new SordinoPlugin(this.options);
    const ready = once(this.plugin, "ready");
    await this.track.addPlugin(this.plugin);
    await this.shared.resume();
    await ready;
  }

  off() {
    return this.track.removePlugin(this.plugin);
  }

  mute(on) {
    return this.track.setEnabled(!on);
  }

  async device() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const now = this.source.getSettings().deviceId;
    const other = devices.find(({ kind, deviceId }) => kind === "audioinput" && deviceId !== now);
    const ready = once(this.plugin, "ready");
    await this.track.setSettings({ deviceId: other.deviceId });
    await ready;
  }

  destroy() {
    return this.track.cleanup();
  }

  async close() {
    await this.track.cleanup();
    this.source.stop();
  }
}

export const LANES = { Core, Sender, LiveKit, LiveKitPaused, LiveKitStopped, Jitsi, Twilio, Hms };
