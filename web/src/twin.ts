// Page thread: makes a cleaned track behave like the track it stands for.

import { MICROPHONE } from "./microphone.js";

/** What happens with the two tracks. */
interface Fates {
  /** The source has ended by itself. */
  readonly ended: () => void;
  /** Somebody has called stop() of the cleaned track. */
  readonly stopped: () => void;
}

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
  fates: Fates,
): (track: MediaStreamTrack | undefined) => void {
  const own = cleaned.getSettings.bind(cleaned);
  const stop = cleaned.stop.bind(cleaned);
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
    stop: {
      value: () => {
        stop();
        fates.stopped();
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
    track.addEventListener("ended", fates.ended, { signal });
  };
}
