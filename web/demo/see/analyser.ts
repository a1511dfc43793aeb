// Page thread: the analysers that feed the pictures. They cost the audio thread a copy; the transform runs here.

export const FFT_SIZE = 2048;
export const QUIET_DB = -104;
export const LOUD_DB = -34;

/** An analyser with the resolution and the range that the pictures want. */
export function createAnalyser(context: BaseAudioContext): AnalyserNode {
  return new AnalyserNode(context, {
    fftSize: FFT_SIZE,
    smoothingTimeConstant: 0,
    minDecibels: QUIET_DB,
    maxDecibels: LOUD_DB,
  });
}
