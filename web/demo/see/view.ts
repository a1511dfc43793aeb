// Page thread: the pictures. Hands the painter at every frame of the display the sound that is new.

import type { Readout } from "sordino";
import { body, element, minus } from "../page/dom.js";
import { REMEMBERED } from "./analyser.js";
import { FFT_SIZE } from "./fft.js";
import { type PainterAnswer, type PainterRequest, SCREENS, type ScreenName, type Seen } from "./messages.js";
import { Painter } from "./painter.js";
import { BANDS, COLUMN_S, columnSamples, SAMPLE_RATE } from "./scale.js";

const NO_BANDS = new Float32Array(BANDS);
/** Below this correlation a frame has no pitch to speak of. */
const PERIODIC = 0.5;
const MOST_SCALE = 2;
/** Places that an arrow key moves the look, of the whole width or height. */
const STEP = 0.02;

type Send = (request: PainterRequest, transfer?: Transferable[]) => void;

/** The painter in a worker where a canvas can be handed to one, in this thread elsewhere. */
function startPainter(answer: (answer: PainterAnswer) => void): Send {
  if (!("transferControlToOffscreen" in HTMLCanvasElement.prototype)) {
    const painter = new Painter(answer);
    return (request) => painter.obey(request);
  }
  const worker = new Worker(new URL("./painter.js", import.meta.url));
  worker.addEventListener("message", (event: MessageEvent<PainterAnswer>) => answer(event.data));
  return (request, transfer = []) => worker.postMessage(request, transfer);
}

export class View {
  readonly #send = startPainter(({ seen }) => this.#tell(seen));
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  readonly #samples = new Float32Array(REMEMBERED);
  #readout: Readout | undefined;
  /** The audio's clock when the painter was last told. */
  #lastS: number | undefined;
  #at = { across: 1, up: 0.5 };

  constructor() {
    const inWorker = "transferControlToOffscreen" in HTMLCanvasElement.prototype;
    for (const name of SCREENS) this.#adopt(name, inWorker);
    this.#sendColours();
    this.#dark.addEventListener("change", () => this.#sendColours());
    body.painter = inWorker ? "worker" : "page";
    for (const name of ["before", "after"]) this.#listen(element(`#${name} .screen`));
  }

  /** The network's view of the moment, for the next frames. */
  hear(readout: Readout): void {
    this.#readout = readout;
  }

  draw(before: AnalyserNode, after: AnalyserNode): void {
    const { currentTime: timeS, sampleRate } = before.context;
    const column = columnSamples(sampleRate);
    const fresh = Math.ceil((timeS - (this.#lastS ?? timeS - COLUMN_S)) * sampleRate);
    if (fresh < column) return;
    const wanted = Math.min(fresh + FFT_SIZE + column, REMEMBERED);
    const sound = {
      timeS,
      sampleRate,
      before: this.#newest(before, wanted),
      after: this.#newest(after, wanted),
      pitchHz: pitchOf(this.#readout),
      voice: this.#readout?.voice ?? 0,
      gains: this.#readout?.gains ?? NO_BANDS,
      strengths: this.#readout?.strengths ?? NO_BANDS,
    };
    this.#lastS = timeS;
    this.#send({ type: "sound", sound }, [sound.before.buffer, sound.after.buffer]);
  }

  #newest(analyser: AnalyserNode, samples: number): Float32Array<ArrayBuffer> {
    analyser.getFloatTimeDomainData(this.#samples);
    return this.#samples.slice(-samples);
  }

  clear(): void {
    this.#readout = undefined;
    this.#lastS = undefined;
    this.#send({ type: "clear" });
    this.#tell(undefined);
  }

  #adopt(name: ScreenName, inWorker: boolean): void {
    const canvas = element<HTMLCanvasElement>(`#${name} canvas`);
    const given = inWorker ? canvas.transferControlToOffscreen() : canvas;
    this.#send({ type: "canvas", screen: name, canvas: given }, inWorker ? [given as OffscreenCanvas] : []);
    const fit = (): void => {
      const scale = Math.min(devicePixelRatio, MOST_SCALE);
      const width = Math.max(1, Math.round(canvas.clientWidth * scale));
      const height = Math.max(1, Math.round(canvas.clientHeight * scale));
      this.#send({ type: "size", screen: name, width, height });
    };
    new ResizeObserver(fit).observe(canvas);
  }

  #sendColours(): void {
    const style = getComputedStyle(document.documentElement);
    const of = (name: string): string => style.getPropertyValue(name).trim();
    const colours = { line: of("--line"), voice: of("--voice"), noise: of("--noise") };
    this.#send({ type: "colours", colours });
  }

  /** Look at a place of a picture with the pointer, or with the arrow keys. */
  #listen(screen: HTMLElement): void {
    screen.addEventListener("pointermove", (event) => {
      const { left, top, width, height } = screen.getBoundingClientRect();
      this.#look((event.clientX - left) / width, 1 - (event.clientY - top) / height);
    });
    screen.addEventListener("pointerleave", () => this.#tell(undefined));
    screen.addEventListener("blur", () => this.#tell(undefined));
    screen.addEventListener("keydown", (event) => {
      const moves: Record<string, readonly [number, number]> = {
        ArrowLeft: [-STEP, 0],
        ArrowRight: [STEP, 0],
        ArrowUp: [0, STEP],
        ArrowDown: [0, -STEP],
      };
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      this.#look(this.#at.across + move[0], this.#at.up + move[1]);
    });
  }

  #look(across: number, up: number): void {
    const within = (value: number): number => Math.min(Math.max(value, 0), 1);
    this.#at = { across: within(across), up: within(up) };
    this.#send({ type: "look", ...this.#at });
    for (const cross of document.querySelectorAll<HTMLElement>(".screen .cross")) {
      cross.hidden = false;
      cross.style.left = `${100 * this.#at.across}%`;
      cross.style.bottom = `${100 * this.#at.up}%`;
    }
  }

  #tell(seen: Seen | undefined): void {
    element("#seen").textContent = seen ? minus(inWords(seen)) : "";
    if (seen) return;
    for (const cross of document.querySelectorAll<HTMLElement>(".screen .cross")) cross.hidden = true;
  }
}

function pitchOf(readout: Readout | undefined): number {
  if (!readout || readout.pitchCorrelation < PERIODIC || readout.pitchPeriod <= 0) return 0;
  return SAMPLE_RATE / readout.pitchPeriod;
}

function inWords({ agoS, hz, beforeDb, afterDb }: Seen): string {
  const frequency = hz < 1000 ? `${Math.round(hz)} Hz` : `${(hz / 1000).toFixed(1)} kHz`;
  return `${agoS.toFixed(1)} s ago, ${frequency}: ${Math.round(beforeDb)} dB before, ${Math.round(afterDb)} dB after`;
}
