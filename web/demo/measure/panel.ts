// Page thread: the panel that measures: a live histogram, a list of figures, and the benchmark with its table.

import type { EngineName, LookAhead, ModelName, Readout, SordinoNode } from "sordino";
import { costOfPeer, decodeProbe, PEER_NAMES, PEERS } from "../hear/peers.js";
import type { Player } from "../hear/player.js";
import { body, element } from "../page/dom.js";
import { mendLanguage } from "../page/language.js";
import type { Histogram } from "./histogram.js";
import { measureLatency } from "./impulse.js";
import { Meter } from "./meter.js";
import { costOfSordino } from "./offline.js";
import { engineName, fillTable, latencyInWords, markdown, mebibytes, microseconds } from "./report.js";
import { Underruns } from "./underruns.js";

const BACK_TO_BACK_S = 2;
const PACED_S = 3;
/** Frames after which the audio thread's mean is worth showing. */
const ENOUGH_FRAMES = 200;
const REFRESH_MS = 500;

export class MeasurePanel {
  readonly #meter = new Meter((frameUs) => this.#histogram?.add(frameUs));
  readonly #table = element<HTMLTableElement>("#benchmark-table");
  /** Comes when somebody looks there for the first time. */
  #histogram: Histogram | undefined;
  #player: Player | undefined;
  #underruns: Underruns | undefined;
  #latency: Promise<number> | undefined;
  #started: Promise<number> | undefined;
  #charted: Promise<void> | undefined;
  #visible = false;
  #frames = 0;
  #markdown = "";

  constructor() {
    element("#benchmark").addEventListener("click", () => void this.#benchmark());
    element("#benchmark-copy").addEventListener("click", () => void this.#copy());
    new IntersectionObserver(([entry]) => this.#appear(entry!.isIntersecting)).observe(element("#histogram"));
    setInterval(() => this.#refresh(), REFRESH_MS);
  }

  /** An engine runs: say what it is, and measure. Called again when the model has changed. */
  adopt(player: Player, node: SordinoNode, lookAhead: LookAhead): void {
    if (this.#player !== player) this.#underruns = new Underruns(player.context);
    this.#player = player;
    const { sampleRate } = player.context;
    element("#engine").textContent = engineName(node.engine);
    element("#model").textContent = node.model;
    element("#reported").textContent = latencyInWords(node.latency.samples, sampleRate);
    this.#latency = measureLatency({ engine: node.engine, model: node.model as ModelName, lookAhead }, sampleRate);
    const measured = this.#latency;
    measured.then(
      (samples) => {
        if (measured !== this.#latency) return;
        element("#latency").textContent = latencyInWords(samples, sampleRate);
        body.measuredLatency = String(samples);
      },
      () => undefined,
    );
    this.#started = this.#start(node.engine, node.model);
    this.#started.then(
      (batch) => {
        element("#histogram-note").textContent = batch > 1 ? `Each count is the mean of ${batch} frames.` : "";
        this.#meter.live(this.#visible);
      },
      () => undefined,
    );
  }

  show({ stats }: Readout): void {
    element("#memory").textContent = mebibytes(stats.memoryBytes);
    if (stats.frames >= ENOUGH_FRAMES) element("#cost").textContent = microseconds(1000 * stats.meanFrameMs);
    element("#late").textContent = `${stats.overruns} of ${stats.frames}`;
  }

  /** Once per frame of the display. */
  countFrame(): void {
    this.#frames += 1;
  }

  async #start(engine: EngineName, model: string): Promise<number> {
    return this.#meter.start(engine, model, (await decodeProbe()).getChannelData(0));
  }

  /** Nobody looks: nothing is timed. */
  #appear(visible: boolean): void {
    this.#visible = visible;
    if (visible) this.#charted ??= this.#chart();
    void this.#started?.then(
      () => this.#meter.live(visible),
      () => undefined,
    );
  }

  #refresh(): void {
    const context = this.#player?.context;
    element("#fps").textContent = String(Math.round((1000 * this.#frames) / REFRESH_MS));
    this.#frames = 0;
    if (!context) return;
    element("#underruns").textContent = String(this.#underruns!.look());
    // Not outputLatency: Firefox asks the sound server for it while it holds the graph's lock, and can hang there for good.
    element("#output").textContent = `${(1000 * (context.baseLatency || 0)).toFixed(1)} ms`;
    if (this.#visible) this.#histogram?.draw();
  }

  async #chart(): Promise<void> {
    mendLanguage();
    try {
      const { Histogram } = await import("./histogram.js");
      this.#histogram = new Histogram(element("#histogram"));
    } catch (error) {
      element("#histogram").textContent =
        `The chart is not to be had: ${error instanceof Error ? error.message : error}`;
    }
  }

  async #benchmark(): Promise<void> {
    const button = element<HTMLButtonElement>("#benchmark");
    const node = this.#player?.node;
    if (!node) {
      this.#say("Choose something to listen to first: that loads the engine.");
      return;
    }
    button.disabled = true;
    try {
      this.#say("Timing the engine for five seconds…");
      await this.#started;
      const benchmark = await this.#meter.benchmark(BACK_TO_BACK_S, PACED_S);
      this.#say("Timing whole graphs…");
      const systems: [string, number][] = [["Sordino", await costOfSordino(node.engine, node.model as ModelName)]];
      for (const peer of PEERS) systems.push([PEER_NAMES[peer], await costOfPeer(peer)]);
      const { engine, model, context } = node;
      const latencySamples = await this.#latency!;
      const { sampleRate } = context;
      const underruns = this.#underruns!.look();
      const findings = { engine, model, benchmark, latencySamples, sampleRate, underruns, systems };
      fillTable(this.#table, findings);
      this.#markdown = markdown(findings);
      element("#benchmark-result").hidden = false;
      this.#say("Done.");
    } catch (error) {
      this.#say(`The benchmark failed: ${error instanceof Error ? error.message : error}`);
    }
    button.disabled = false;
  }

  #say(text: string): void {
    element("#benchmark-status").textContent = text;
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#markdown);
      this.#say("Copied as Markdown.");
    } catch {
      getSelection()?.selectAllChildren(this.#table);
      this.#say("The browser allows no copying here: the table is selected instead.");
    }
  }
}
