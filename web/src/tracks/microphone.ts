// Page thread: opens a microphone with the browser's own noise suppression and gain control off.

import { SordinoError } from "../protocol/errors.js";

/** Echo cancellation stays on; the browser's noise suppression and gain control would work against ours. */
export const MICROPHONE: Readonly<MediaTrackConstraints> = {
  echoCancellation: true,
  noiseSuppression: false,
  autoGainControl: false,
};

/**
 * Open a microphone.
 *
 * more     device and further wishes; what is asked for above wins
 * rejects  as getUserMedia does; SordinoError "unsupported" where there is none
 */
export async function openMicrophone(more: MediaTrackConstraints = {}): Promise<MediaStreamTrack> {
  if (!globalThis.navigator?.mediaDevices) {
    throw new SordinoError("unsupported", "there are no microphones here; they need a page served over HTTPS");
  }
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...more, ...MICROPHONE } });
  return stream.getAudioTracks()[0]!;
}
