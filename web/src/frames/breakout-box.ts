// Page thread: MediaStreamTrackProcessor and MediaStreamTrackGenerator, which only some browsers have.

interface TrackProcessor {
  readonly readable: ReadableStream;
}

type TrackGenerator = MediaStreamTrack & { readonly writable: WritableStream };

/** Not in every browser, hence not in the standard types. */
interface Breakout {
  readonly MediaStreamTrackProcessor?: new (init: { track: MediaStreamTrack; maxBufferSize: number }) => TrackProcessor;
  readonly MediaStreamTrackGenerator?: new (init: { kind: "audio" }) => TrackGenerator;
}

const breakout = globalThis as Breakout;
/** Frames that the browser buffers: with fewer it drops some where frames are very short. */
const WAITING_FRAMES = 50;

/** Whether this browser has the frame path (Chromium has). */
export function canUseFrames(): boolean {
  return breakout.MediaStreamTrackProcessor !== undefined && breakout.MediaStreamTrackGenerator !== undefined;
}

/** The AudioData frames of a track. */
export function framesOf(track: MediaStreamTrack): ReadableStream {
  return new breakout.MediaStreamTrackProcessor!({ track, maxBufferSize: WAITING_FRAMES }).readable;
}

/** A track made of the AudioData frames that are written to it. */
export function createGenerator(): TrackGenerator {
  return new breakout.MediaStreamTrackGenerator!({ kind: "audio" });
}
