// Painter: a canvas whose picture moves from right to left as the audio's clock goes on.

import type { Moment } from "./messages.js";
import { DARKEST } from "./palette.js";
import { SPAN_S } from "./scale.js";

export type Canvas = OffscreenCanvas | HTMLCanvasElement;
export type Pen = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

/** Paints one moment, `columns` pixels wide, at the right edge of a canvas. */
export type PaintColumn = (pen: Pen, moment: Moment, columns: number) => void;

export class Screen {
  readonly #canvas: Canvas;
  readonly #pen: Pen;
  readonly #paint: PaintColumn;
  #lastS: number | undefined;
  #due = 0;

  constructor(canvas: Canvas, paint: PaintColumn) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext("2d", { alpha: false }) as Pen;
    this.#paint = paint;
    this.clear();
  }

  /** Take another size and draw again what is remembered. */
  resize(width: number, height: number, history: readonly Moment[]): void {
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.clear();
    for (const moment of history) this.draw(moment);
  }

  clear(): void {
    this.#pen.fillStyle = DARKEST;
    this.#pen.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#lastS = undefined;
    this.#due = 0;
  }

  draw(moment: Moment): void {
    const { width } = this.#canvas;
    const passedS = moment.timeS - (this.#lastS ?? moment.timeS);
    this.#lastS = moment.timeS;
    this.#due += Math.min(Math.max(passedS, 0), SPAN_S) * (width / SPAN_S);
    const columns = Math.floor(this.#due);
    if (columns === 0) return;
    this.#due -= columns;
    this.#pen.drawImage(this.#canvas, -columns, 0);
    this.#paint(this.#pen, moment, columns);
  }
}
