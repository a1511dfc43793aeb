// Painter: keeps the last seconds, draws them, and says what is to be seen at a place. Runs in a worker or in the page.

import { LOUD_DB, QUIET_DB } from "./analyser.js";
import type { Colours, Moment, PainterAnswer, PainterRequest, ScreenName, Seen } from "./messages.js";
import { paintBands, spectrogram, track } from "./paint.js";
import { SHADES } from "./palette.js";
import { hzAt, SPAN_S } from "./scale.js";
import { type Canvas, type PaintColumn, type Pen, Screen } from "./screen.js";

export class Painter {
  readonly #screens = new Map<ScreenName, Screen>();
  readonly #answer: (answer: PainterAnswer) => void;
  #bands: Pen | undefined;
  #history: Moment[] = [];
  #colours: Colours = { line: "#444", voice: "#6fd3c1", noise: "#efb45a" };
  #binHz = 1;

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
        this.#binHz = request.binHz;
        this.#drawBands();
        break;
      case "moment":
        this.#draw(request.moment);
        break;
      case "clear":
        this.#history = [];
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
    const paint: PaintColumn = name === "track" ? track(() => this.#colours) : spectrogram(name, () => this.#binHz);
    this.#screens.set(name, new Screen(canvas, paint));
  }

  #resize(name: ScreenName, width: number, height: number): void {
    this.#screens.get(name)?.resize(width, height, this.#history);
    if (name !== "bands" || !this.#bands) return;
    this.#bands.canvas.width = width;
    this.#bands.canvas.height = height;
    this.#drawBands();
  }

  #draw(moment: Moment): void {
    this.#history.push(moment);
    const oldest = this.#history.findIndex(({ timeS }) => timeS >= moment.timeS - SPAN_S);
    this.#history.splice(0, Math.max(oldest, 0));
    for (const screen of this.#screens.values()) screen.draw(moment);
    this.#drawBands();
  }

  #drawBands(): void {
    const moment = this.#history.at(-1);
    if (!this.#bands) return;
    if (moment) paintBands(this.#bands, moment, this.#colours);
    else this.#bands.clearRect(0, 0, this.#bands.canvas.width, this.#bands.canvas.height);
  }

  #look(across: number, up: number): Seen | undefined {
    const newest = this.#history.at(-1);
    if (!newest) return undefined;
    const agoS = (1 - across) * SPAN_S;
    const moment = this.#history.find(({ timeS }) => timeS >= newest.timeS - agoS);
    if (!moment || moment.timeS > newest.timeS - agoS + SPAN_S / 10) return undefined;
    const hz = hzAt(up);
    const db = (levels: Uint8Array): number =>
      QUIET_DB + ((LOUD_DB - QUIET_DB) * levels[Math.round(hz / this.#binHz)]!) / (SHADES - 1);
    const { pitchHz, voice } = moment;
    return { agoS, hz, beforeDb: db(moment.before), afterDb: db(moment.after), pitchHz, voice };
  }
}
