// Page thread: makes a cleaned track behave like the track it stands for.

import { MICROPHONE } from "./microphone.js";

/** Called when the source ends by itself. */
type OnEnded = () => void;

/**
 * Forward "mute", "unmute", "ended", settings, capabilities and constraints.
 *
 * cleaned  a track made by this package
 * source   says which track it stands for now; it may change
 * returns  what to call for every new source: it listens to that one and no longer to the one before
 */
export function standFor(
  cleaned: MediaStreamTrack,
  source: () => MediaStreamTrack,
  onEnded: OnEnded,
): (track: MediaStreamTrack | undefined) => void {
  const own = cleaned.getSettings.bind(cleaned);
  Object.defineProperties(cleaned, {
    getSettings: { value: () => ({ ...source().getSettings(), ...own(), deviceId: source().getSettings().deviceId }) },
    getConstraints: { value: () => source().getConstraints() },
    getCapabilities: { value: () => source().getCapabilities?.() ?? {} },
    applyConstraints: {
      value: (wanted: MediaTrackConstraints = {}) => {
        const { noiseSuppression, autoGainControl } = MICROPHONE;
        return source().applyConstraints({
          ...wanted,
          noiseSuppression: noiseSuppression!,
          autoGainControl: autoGainControl!,
        });
      },
    },
    muted: { get: () => source().muted },
    label: { get: () => source().label },
  });
  let end = new AbortController();
  return (track) => {
    end.abort();
    end = new AbortController();
    if (track === undefined) return;
    const { signal } = end;
    cleaned.contentHint = track.contentHint;
    for (const type of ["mute", "unmute"]) {
      track.addEventListener(type, () => cleaned.dispatchEvent(new Event(type)), { signal });
    }
    track.addEventListener("ended", onEnded, { signal });
  };
}
