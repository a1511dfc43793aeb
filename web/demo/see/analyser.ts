// Page thread: the analysers that feed the pictures. They cost the audio thread a copy; all else happens in the painter.

/** What an analyser remembers: a page that draws seldom loses no sound up to a third of a second. */
export const REMEMBERED = 16_384;

export function createAnalyser(context: BaseAudioContext): AnalyserNode {
  return new AnalyserNode(context, { fftSize: REMEMBERED });
}
