// Page thread: shows the numbers of a read-out as level meters, bars and words.

import type { Readout, SordinoNode } from "sordino";

const LOWEST_DB = -70;
/** Decibels by which a meter may fall from one read-out to the next, so that the eye can follow. */
const FALL_DB = 2;
const VOICE_THRESHOLD = 0.5;
/** Frames after which the mean time per frame is worth showing. */
const COST_FRAMES = 200;
const HOP_MS = 10;
const NO_BANDS = new Float32Array(34);
const ENGINES = { relaxed: "Relaxed SIMD", simd128: "SIMD128" } as const;

export function element<T extends HTMLElement>(selector: string): T {
  return document.querySelector<T>(selector)!;
}

class LevelMeter {
  readonly #meter: HTMLMeterElement;
  readonly #text: HTMLOutputElement;

  constructor(figure: string) {
    this.#meter = element(`${figure} meter`);
    this.#text = element(`${figure} output`);
  }

  show(db: number): void {
    this.#meter.value = Math.max(db, this.#meter.value - FALL_DB, LOWEST_DB);
    this.#text.textContent = db > LOWEST_DB ? `${Math.round(db)} dB`.replace("-", "−") : "silent";
  }

  rest(): void {
    this.#meter.value = LOWEST_DB;
    this.#text.textContent = "silent";
  }
}

/** Bars for the gains; a lighter line shows the share of the comb filter. */
class BandBars {
  readonly #canvas = element<HTMLCanvasElement>("#bands canvas");
  readonly #context = this.#canvas.getContext("2d")!;

  show(gains: Float32Array, strengths: Float32Array): void {
    const scale = Math.min(devicePixelRatio, 2);
    const width = Math.round(this.#canvas.clientWidth * scale);
    const height = Math.round(this.#canvas.clientHeight * scale);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    const colours = getComputedStyle(document.documentElement);
    const step = width / gains.length;
    this.#context.clearRect(0, 0, width, height);
    for (let band = 0; band < gains.length; band++) {
      const left = band * step + 0.12 * step;
      this.#bar(colours.getPropertyValue("--line"), left, 0.76 * step, 0, height);
      this.#bar(colours.getPropertyValue("--voice"), left, 0.76 * step, 0, gains[band]! * height);
      const mark = strengths[band]! * height;
      this.#bar(colours.getPropertyValue("--noise"), left, 0.76 * step, Math.max(mark - 2 * scale, 0), mark);
    }
  }

  rest(): void {
    this.show(NO_BANDS, NO_BANDS);
  }

  #bar(colour: string, left: number, width: number, from: number, to: number): void {
    this.#context.fillStyle = colour;
    this.#context.fillRect(left, this.#canvas.height - to, width, to - from);
  }
}

export class Readings {
  readonly #before = new LevelMeter("#before");
  readonly #after = new LevelMeter("#after");
  readonly #bands = new BandBars();

  /** What does not change while a node lives. */
  describe(node: SordinoNode): void {
    element("#engine").textContent = ENGINES[node.engine];
    element("#model").textContent = node.model;
    element("#latency").textContent = `${(node.latency.seconds * 1000).toFixed(1)} ms`;
    element("#cost").textContent = "measuring…";
  }

  show(readout: Readout): void {
    this.#before.show(readout.inputDb);
    this.#after.show(readout.outputDb);
    this.#bands.show(readout.gains, readout.strengths);
    const voice = readout.voice > VOICE_THRESHOLD ? "yes" : "no";
    const { stats } = readout;
    document.body.dataset.voice = voice;
    document.body.dataset.frames = String(stats.frames);
    element("#voice .text").textContent = voice;
    if (stats.frames < COST_FRAMES) return;
    const share = (100 * stats.meanFrameMs) / HOP_MS;
    element("#cost").textContent = `${stats.meanFrameMs.toFixed(2)}\u00a0ms (${share.toFixed(1)}\u00a0%)`;
  }

  /** Nothing plays any more. */
  rest(): void {
    this.#before.rest();
    this.#after.rest();
    this.#bands.rest();
    document.body.dataset.voice = "no";
    document.body.dataset.frames = "0";
    element("#voice .text").textContent = "–";
  }
}
