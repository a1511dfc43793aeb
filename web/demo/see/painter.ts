// Painter: keeps the last seconds, draws them, and says what is to be seen at a place. Runs in a worker or in the page.

import { BINS, FFT_SIZE, powerSpectra } from "./fft.js";
import type { Colours, Moment, PainterAnswer, PainterRequest, ScreenName, Seen, Sound } from "./messages.js";
import { paintBands, spectrogram, track } from "./paint.js";
import { SHADES } from "./palette.js";
import { BANDS, COLUMN_S, columnSamples, hzAt, LOUD_DB, QUIET_DB, SPAN_S } from "./scale.js";
import { type Canvas, type PaintColumn, type Pen, Screen } from "./screen.js";

/** What passes before anything is heard. */
const NOTHING = { gains: new Float32Array(BANDS), strengths: new Float32Array(BANDS) };
const powers = [new Float32Array(BINS), new Float32Array(BINS)] as const;

/** Powers as bytes, 0 for QUIET_DB and below. */
function levels(power: Float32Array): Uint8Array {
  const scale = (SHADES - 1) / (LOUD_DB - QUIET_DB);
  return Uint8Array.from(power, (value) =>
    Math.min(Math.max((10 * Math.log10(value) - QUIET_DB) * scale, 0), SHADES - 1),
  );
}

/** The columns that have become due, the oldest first. All windows lie in the one stretch of sound that has come. */
function* columnsOf(sound: Sound, lastS: number): Generator<Moment> {
  const { timeS, sampleRate, before, after, ...insight } = sound;
  const column = columnSamples(sampleRate);
  const binHz = sampleRate / FFT_SIZE;
  const room = Math.floor((before.length - FFT_SIZE) / column);
  const due = Math.min(Math.floor((timeS - lastS) / COLUMN_S), room);
  for (let ago = due - 1; ago >= 0; ago--) {
    powerSpectra(before, after, before.length - FFT_SIZE - ago * column, powers);
    yield { ...insight, binHz, timeS: timeS - ago * COLUMN_S, before: levels(powers[0]), after: levels(powers[1]) };
  }
}

export class Painter {
  readonly #screens = new Map<ScreenName, Screen>();
  readonly #answer: (answer: PainterAnswer) => void;
  #bands: Pen | undefined;
  #history: Moment[] = [];
  #colours: Colours = { line: "#444", voice: "#6fd3c1", noise: "#efb45a" };
  /** Time of the newest column. */
  #lastS: number | undefined;

  constructor(answer: (answer: PainterAnswer) => void) {
    this.#answer = answer;
  }

  obey(request: PainterRequest): void {
    switch (request.type) {
      case "canvas":
        this.#take(request.screen, request.canvas);
        break;
      case "size":
        this.#resize(request.screen, request.width, request.height);
        break;
      case "colours":
        this.#colours = request.colours;
        this.#drawBands();
        break;
      case "sound":
        this.#draw(request.sound);
        break;
      case "clear":
        this.#history = [];
        this.#lastS = undefined;
        for (const screen of this.#screens.values()) screen.clear();
        this.#drawBands();
        break;
      case "look":
        this.#answer({ type: "seen", seen: this.#look(request.across, request.up) });
        break;
    }
  }

  #take(name: ScreenName, canvas: Canvas): void {
    if (name === "bands") {
      this.#bands = canvas.getContext("2d") as Pen;
      return;
    }
    const paint: PaintColumn = name === "track" ? track : spectrogram(name);
    this.#screens.set(name, new Screen(canvas, paint));
  }

  #resize(name: ScreenName, width: number, height: number): void {
    this.#screens.get(name)?.resize(width, height, this.#history);
    if (name !== "bands" || !this.#bands) return;
    this.#bands.canvas.width = width;
    this.#bands.canvas.height = height;
    this.#drawBands();
  }

  #draw(sound: Sound): void {
    this.#lastS ??= sound.timeS - COLUMN_S;
    for (const moment of columnsOf(sound, this.#lastS)) {
      this.#history.push(moment);
      for (const screen of this.#screens.values()) screen.draw(moment);
      this.#lastS = moment.timeS;
    }
    const oldest = this.#history.findIndex(({ timeS }) => timeS >= sound.timeS - SPAN_S);
    this.#history.splice(0, Math.max(oldest, 0));
    this.#drawBands();
  }

  #drawBands(): void {
    if (this.#bands) paintBands(this.#bands, this.#history.at(-1) ?? NOTHING, this.#colours);
  }

  #look(across: number, up: number): Seen | undefined {
    const newest = this.#history.at(-1);
    if (!newest) return undefined;
    const agoS = (1 - across) * SPAN_S;
    const moment = this.#history.find(({ timeS }) => timeS >= newest.timeS - agoS);
    if (!moment || moment.timeS > newest.timeS - agoS + SPAN_S / 10) return undefined;
    const hz = hzAt(up);
    const db = (levels: Uint8Array): number =>
      QUIET_DB + ((LOUD_DB - QUIET_DB) * (levels[Math.round(hz / moment.binHz)] ?? 0)) / (SHADES - 1);
    const { pitchHz, voice } = moment;
    return { agoS, hz, beforeDb: db(moment.before), afterDb: db(moment.after), pitchHz, voice };
  }
}
