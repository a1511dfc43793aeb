// Page thread: a live histogram of the time per frame on a logarithmic scale, with the real-time budget, drawn by uPlot.

import uPlot from "uplot";

const LOWEST_US = 10;
const HIGHEST_US = 20_000;
const BINS_PER_OCTAVE = 4;
const BUDGET_US = 10_000;
/** Values that are named on the axis. */
const NAMED_US = [10, 100, 1000, 10_000];
/** Old batches fade, so that the picture follows what the machine does now. */
const KEPT = 0.995;
const HEIGHT = 170;

const BINS = Math.ceil(Math.log2(HIGHEST_US / LOWEST_US) * BINS_PER_OCTAVE);

/** Where a time lies on the axis, in bins. */
function place(us: number): number {
  return Math.log2(Math.max(us, LOWEST_US) / LOWEST_US) * BINS_PER_OCTAVE;
}

function inWords(us: number): string {
  return us < 1000 ? `${us} µs` : `${us / 1000} ms`;
}

export class Histogram {
  readonly #home: HTMLElement;
  readonly #counts = new Array<number>(BINS).fill(0);
  readonly #bins = Array.from({ length: BINS }, (_, bin) => bin + 0.5);
  readonly #plot: uPlot;

  constructor(home: HTMLElement) {
    this.#home = home;
    this.#plot = new uPlot(this.#options(), [this.#bins, this.#counts], home);
    new ResizeObserver(() => this.#plot.setSize({ width: home.clientWidth, height: HEIGHT })).observe(home);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#plot.redraw());
  }

  add(frameUs: number): void {
    for (let bin = 0; bin < BINS; bin++) this.#counts[bin]! *= KEPT;
    const bin = Math.min(Math.floor(place(frameUs)), BINS - 1);
    this.#counts[bin]! += 1;
  }

  draw(): void {
    this.#plot.setData([this.#bins, this.#counts]);
  }

  #options(): uPlot.Options {
    const colour = (name: string): string => getComputedStyle(this.#home).getPropertyValue(name).trim();
    const bars = uPlot.paths.bars!({ size: [0.9] });
    return {
      width: Math.max(this.#home.clientWidth, 1),
      height: HEIGHT,
      padding: [12, 20, 0, 20],
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { time: false, range: [0, BINS] }, y: { range: (_plot, _low, high) => [0, Math.max(high, 1)] } },
      axes: [
        {
          stroke: () => colour("--soft"),
          grid: { show: false },
          ticks: { show: false },
          splits: () => NAMED_US.map(place),
          values: () => NAMED_US.map(inWords),
        },
        { show: false },
      ],
      series: [{}, { fill: () => colour("--voice"), width: 0, paths: bars, points: { show: false } }],
      hooks: { draw: [(plot) => drawBudget(plot, colour("--noise"))] },
    };
  }
}

/** A dashed line where live audio would begin to stutter. */
function drawBudget(plot: uPlot, colour: string): void {
  const { ctx: pen, bbox } = plot;
  const x = Math.round(plot.valToPos(place(BUDGET_US), "x", true));
  pen.save();
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = 2 * devicePixelRatio;
  pen.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  pen.beginPath();
  pen.moveTo(x, bbox.top);
  pen.lineTo(x, bbox.top + bbox.height);
  pen.stroke();
  pen.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  pen.textAlign = "right";
  pen.textBaseline = "top";
  pen.fillText("budget", x - 6 * devicePixelRatio, bbox.top);
  pen.restore();
}
