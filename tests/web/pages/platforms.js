// The lanes of the platforms, each with the platform's own class for a local track.

import { SordinoPlugin } from "/dist/adapters/100ms.js";
import { SordinoEffect } from "/dist/adapters/jitsi.js";
import { SordinoProcessor } from "/dist/adapters/livekit.js";
import { SordinoAudioProcessor } from "/dist/adapters/twilio.js";
import { openMicrophone } from "/dist/sordino.js";
import { Lane, once } from "./lanes.js";
import { answerTo, call } from "./loopback.js";
import { wait } from "./sounds.js";

const PLATFORMS = "/built/consumers/out/platforms";
const MICROPHONE = { echoCancellation: true, noiseSuppression: false, autoGainControl: false };

export class LiveKit extends Lane {
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
export class LiveKitPaused extends LiveKit {
  resumesAfter() {
    return false;
  }

  mute(on) {
    return on ? this.track.pauseUpstream() : this.track.resumeUpstream();
  }
}

/** LiveKit's mute that stops the microphone. */
export class LiveKitStopped extends LiveKit {
  async open() {
    await super.open();
    this.track.stopOnMute = true;
  }
}

export class Jitsi extends Lane {
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

export class Twilio extends Lane {
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

export class Hms extends Lane {
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
