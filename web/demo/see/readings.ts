// Page thread: shows the numbers of a read-out as level meters, a lamp and words; the words for silence are index.html's.

import type { Readout } from "sordino";
import { body, element, minus } from "../page/dom.js";
import { REMEMBERED } from "./analyser.js";
import { SAMPLE_RATE } from "./scale.js";

/** Decibels by which a meter may fall from one read-out to the next, so that the eye can follow. */
const FALL_DB = 2;
const VOICE_THRESHOLD = 0.5;
const PERIODIC = 0.5;
/** What a meter shows is the level of the last samples. */
const METERED = 2048;

/** Level (RMS) of what an analyser has heard last, dB full scale. */
function levelDb(analyser: AnalyserNode, samples: Float32Array<ArrayBuffer>): number {
  analyser.getFloatTimeDomainData(samples);
  let power = 0;
  for (const sample of samples.subarray(-METERED)) power += sample * sample;
  return 10 * Math.log10(power / METERED);
}

class LevelMeter {
  readonly #meter: HTMLMeterElement;
  readonly #text: HTMLElement;
  readonly #silent: string;

  constructor(figure: string) {
    this.#meter = element(`${figure} meter`);
    this.#text = element(`${figure} .level`);
    this.#silent = this.#text.textContent;
  }

  show(db: number): void {
    this.#meter.value = Math.max(db, this.#meter.value - FALL_DB, this.#meter.min);
    this.#text.textContent = db > this.#meter.min ? minus(`${Math.round(db)} dB`) : this.#silent;
  }

  rest(): void {
    this.#meter.value = this.#meter.min;
    this.#text.textContent = this.#silent;
  }
}

export class Readings {
  readonly #before = new LevelMeter("#before");
  readonly #after = new LevelMeter("#after");
  readonly #voice = element("#voice .text");
  readonly #pitch = element("#pitch");
  /** The words of the page for no voice and no pitch. */
  readonly #none = { voice: this.#voice.textContent, pitch: this.#pitch.textContent };
  readonly #samples = new Float32Array(REMEMBERED);

  /** before, after  what is drawn: the levels are theirs, whichever system cleans */
  show(readout: Readout, before: AnalyserNode, after: AnalyserNode): void {
    this.#before.show(levelDb(before, this.#samples));
    this.#after.show(levelDb(after, this.#samples));
    const voice = readout.voice > VOICE_THRESHOLD;
    body.voice = voice ? "yes" : "no";
    body.frames = String(readout.stats.frames);
    this.#voice.textContent = voice ? "voice" : this.#none.voice;
    const pitched = voice && readout.pitchCorrelation > PERIODIC && readout.pitchPeriod > 0;
    this.#pitch.textContent = pitched ? `${Math.round(SAMPLE_RATE / readout.pitchPeriod)} Hz` : this.#none.pitch;
  }

  /** Nothing plays any more. */
  rest(): void {
    this.#before.rest();
    this.#after.rest();
    body.voice = "no";
    body.frames = "0";
    this.#voice.textContent = this.#none.voice;
    this.#pitch.textContent = this.#none.pitch;
  }
}
