// Page thread: plays a remote track in a muted media element, without which Chromium does not decode it.

/** Microphones have a groupId, tracks of Web Audio a deviceId of their own; remote tracks have neither. */
function isLocal(track: MediaStreamTrack): boolean {
  const { deviceId, groupId } = track.getSettings();
  return groupId !== undefined || deviceId?.startsWith("WebAudio-") === true;
}

/** Play a track in a muted element if it may be remote. Returns a function that stops it. */
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
