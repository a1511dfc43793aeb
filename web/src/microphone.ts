// Page thread: how a microphone is opened for a suppressor that replaces the browser's own.

/** Echo cancellation stays on; the browser's noise suppression and gain control would work against ours. */
export const MICROPHONE: Readonly<MediaTrackConstraints> = {
  echoCancellation: true,
  noiseSuppression: false,
  autoGainControl: false,
};

/** Open a microphone. more: device and further wishes; what is asked for above wins. rejects as getUserMedia does */
export async function openMicrophone(more: MediaTrackConstraints = {}): Promise<MediaStreamTrack> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...more, ...MICROPHONE } });
  return stream.getAudioTracks()[0]!;
}
