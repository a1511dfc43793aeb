// A JitsiLocalTrack of lib-jitsi-meet with our effect, without a server.

import { SordinoEffect } from "/dist/adapters/jitsi.js";
import { isHeard } from "./sounds.js";

/** A classic script. Returns what it leaves in the global scope. */
async function load(address) {
  const script = document.createElement("script");
  script.src = address;
  const loaded = new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${address} did not load`));
  });
  document.head.append(script);
  await loaded;
  return globalThis.JitsiMeetJS;
}

export async function localTrack(library) {
  const jitsi = await load(library);
  jitsi.setLogLevel(jitsi.logLevels.ERROR);
  jitsi.init({ disableAudioLevels: true, disableNS: true, disableAGC: true });
  const [track] = await jitsi.createLocalTracks({ devices: ["audio"] });
  const raw = track.getTrack();
  const effect = new SordinoEffect();
  await track.setEffect(effect);
  const { suppressed } = effect;
  const cleaned = track.getTrack();
  const answer = { version: jitsi.version, swapped: cleaned !== raw && cleaned === suppressed.track };
  answer.heardAtOnce = await isHeard(cleaned, 1e-3);
  await suppressed.started;
  answer.suppressing = suppressed.suppressing;
  await track.mute();
  answer.muted = [track.isMuted(), cleaned.enabled];
  await track.unmute();
  answer.unmuted = [track.isMuted(), cleaned.enabled];
  await track.setEffect(undefined);
  answer.restored = track.getTrack() === raw;
  answer.afterwards = [cleaned.readyState, raw.readyState];
  await track.setEffect(effect);
  const again = track.getTrack();
  await track.dispose();
  answer.disposed = [again.readyState, raw.readyState];
  return answer;
}
