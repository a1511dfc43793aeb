// Page thread: a picture of the sound that moves from right to left, low tones at the bottom.

/** Seconds that fit into the picture. */
const SPAN_S = 6;
/** Frequency at the upper edge; the scale is quadratic, so 1 kHz lies at a quarter of the height and 4 kHz at half. */
const TOP_HZ = 16_000;
const FFT_SIZE = 2048;
const QUIET_DB = -104;
const LOUD_DB = -34;
const COLOURS = [
  [7, 12, 16],
  [18, 44, 66],
  [26, 104, 112],
  [224, 166, 74],
  [255, 244, 216],
] as const;
const SHADES = 256;

/** SHADES colours between the stops of COLOURS, as RGBA bytes. */
function palette(): Uint8ClampedArray {
  const table = new Uint8ClampedArray(4 * SHADES);
  for (let shade = 0; shade < SHADES; shade++) {
    const position = (shade / (SHADES - 1)) * (COLOURS.length - 1);
    const stop = Math.min(Math.floor(position), COLOURS.length - 2);
    const blend = position - stop;
    for (let c = 0; c < 3; c++) {
      table[4 * shade + c] = (1 - blend) * COLOURS[stop]![c]! + blend * COLOURS[stop + 1]![c]!;
    }
    table[4 * shade + 3] = 255;
  }
  return table;
}

const PALETTE = palette();

/** An analyser with the resolution and the range that the picture wants. */
export function createAnalyser(context: BaseAudioContext): AnalyserNode {
  return new AnalyserNode(context, {
    fftSize: FFT_SIZE,
    smoothingTimeConstant: 0,
    minDecibels: QUIET_DB,
    maxDecibels: LOUD_DB,
  });
}

export class Spectrogram {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #levels = new Uint8Array(FFT_SIZE / 2);
  #column: ImageData;
  #lastS: number | undefined;
  #due = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false })!;
    this.#column = new ImageData(1, 1);
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#fit();
  }

  clear(): void {
    this.#context.fillStyle = `rgb(${COLOURS[0].join()})`;
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#lastS = undefined;
  }

  /** Draw what has been heard since the last call. Time is the audio's own, so the picture stands while the audio does. */
  draw(analyser: AnalyserNode): void {
    const { width } = this.#canvas;
    const nowS = analyser.context.currentTime;
    this.#due += Math.min(nowS - (this.#lastS ?? nowS), SPAN_S) * (width / SPAN_S);
    this.#lastS = nowS;
    const columns = Math.floor(this.#due);
    if (columns === 0) return;
    this.#due -= columns;
    this.#paintColumn(analyser);
    this.#context.drawImage(this.#canvas, -columns, 0);
    for (let i = 1; i <= columns; i++) this.#context.putImageData(this.#column, width - i, 0);
  }

  #fit(): void {
    const scale = Math.min(devicePixelRatio, 2);
    this.#canvas.width = Math.max(1, Math.round(this.#canvas.clientWidth * scale));
    this.#canvas.height = Math.max(1, Math.round(this.#canvas.clientHeight * scale));
    this.#column = new ImageData(1, this.#canvas.height);
    this.clear();
  }

  #paintColumn(analyser: AnalyserNode): void {
    analyser.getByteFrequencyData(this.#levels);
    const { height, data } = this.#column;
    const binHz = analyser.context.sampleRate / FFT_SIZE;
    for (let row = 0; row < height; row++) {
      const position = 1 - (row + 0.5) / height;
      const bin = (TOP_HZ * position * position) / binHz;
      const below = Math.floor(bin);
      const blend = bin - below;
      const level = (1 - blend) * this.#levels[below]! + blend * this.#levels[below + 1]!;
      const shade = 4 * Math.round(level);
      for (let c = 0; c < 4; c++) data[4 * row + c] = PALETTE[shade + c]!;
    }
  }
}
