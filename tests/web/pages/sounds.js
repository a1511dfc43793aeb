// A tone as a track, and what is heard on a track: for the other pages.

export const RATE = 48000;
export const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A tone as a track, like a microphone's; close() ends its context. */
export async function toneTrack(channelCount = 1, gain = 0.5) {
  const context = new AudioContext({ sampleRate: RATE });
  const tone = new OscillatorNode(context, { frequency: 100 });
  const level = new GainNode(context, { gain });
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount });
  tone.connect(level).connect(destination);
  tone.start();
  await context.resume();
  return { track: destination.stream.getAudioTracks()[0], close: () => context.close() };
}

/** Something that hears a track. next: its last samples; heard: for how many seconds; close: to be called in the end */
async function ear(track) {
  const context = new AudioContext({ sampleRate: RATE });
  const analyser = new AnalyserNode(context, { fftSize: 4096 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  await context.resume();
  const samples = new Float32Array(analyser.fftSize);
  const next = () => {
    analyser.getFloatTimeDomainData(samples);
    return samples;
  };
  return { next, heard: () => context.currentTime, close: () => context.close() };
}

/** RMS of a track over some time, per 100 ms. */
export async function levelsOf(track, milliseconds) {
  const { next, heard, close } = await ear(track);
  while (heard() < 0.2) await wait(20);
  const levels = [];
  for (let spent = 0; spent < milliseconds; spent += 100) {
    const samples = next();
    levels.push(Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length));
    await wait(100);
  }
  await close();
  return levels;
}

/** Whether a track carries sound, of this amplitude at least, within ten seconds. */
export async function isHeard(track, least = 0.01) {
  const { next, close } = await ear(track);
  let heard = false;
  for (let i = 0; i < 200 && !heard; i++) {
    await wait(50);
    heard = next().some((x) => Math.abs(x) > least);
  }
  await close();
  return heard;
}

/** What a node or a track tells of its state, as it comes: [type, code]. */
export const logOf = (target) => {
  const log = [];
  for (const type of ["ready", "error", "fallback"]) {
    target.addEventListener(type, ({ error, detail }) => log.push([type, error?.code ?? detail?.cause?.code ?? null]));
  }
  return log;
};
