// Page thread: lets the sound of the other side of a call flow. Chromium decodes it only while a media element plays it.

/** Microphones have a group of devices, tracks of Web Audio a name of their own; others come from elsewhere. */
function isLocal(track: MediaStreamTrack): boolean {
  const { deviceId, groupId } = track.getSettings();
  return groupId !== undefined || deviceId?.startsWith("WebAudio-") === true;
}

/** Play a track that may come from another side in an element that nobody hears. Returns what ends that. */
export function keepFlowing(track: MediaStreamTrack): () => void {
  if (isLocal(track) || typeof Audio === "undefined") return () => undefined;
  const element = new Audio();
  element.muted = true;
  element.srcObject = new MediaStream([track]);
  void element.play().catch(() => undefined);
  return () => {
    element.pause();
    element.srcObject = null;
  };
}
