// Page thread: the benchmark's result as rows, as a table of the page and as Markdown.

import type { EngineName } from "sordino";
import { made } from "../page/dom.js";
import type { Benchmark } from "./messages.js";

/** Put there by web/build.mjs. */
declare const VERSION: string;

const FRAME_US = 10_000;
const MEBIBYTE = 2 ** 20;
const ENGINE_NAMES: Readonly<Record<EngineName, string>> = { relaxed: "relaxed SIMD", simd128: "SIMD128" };

export interface Findings {
  readonly engine: EngineName;
  readonly model: string;
  readonly benchmark: Benchmark;
  readonly latencySamples: number;
  readonly sampleRate: number;
  readonly underruns: number;
  /** Name and seconds of work per second of sound in a graph that does not wait. */
  readonly systems: readonly (readonly [name: string, cost: number])[];
}

export type Row = readonly [what: string, value: string];

export function engineName(engine: EngineName): string {
  return ENGINE_NAMES[engine];
}

export function microseconds(us: number): string {
  return `${Math.round(us)} µs (${((100 * us) / FRAME_US).toFixed(1)} % of a core)`;
}

export function latencyInWords(samples: number, sampleRate: number): string {
  return `${((1000 * samples) / sampleRate).toFixed(1)} ms (${samples} samples)`;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MB`;
}

/** "Chromium 156 on Linux, 8 cores": as much as the browser says. */
export function device(): string {
  const agent = navigator.userAgent;
  const [, name = "unknown browser", version = ""] = agent.match(/(Firefox|Edg|Chrome|Version)\/(\d+)/) ?? [];
  const system = agent.match(/Android|iPhone|iPad|Windows|Mac OS X|CrOS|Linux/)?.[0] ?? "unknown system";
  const browser = { Chrome: "Chromium", Edg: "Edge", Version: "Safari" }[name] ?? name;
  return `${browser} ${version} on ${system}, ${navigator.hardwareConcurrency ?? "?"} cores`;
}

export function title({ engine, model }: Findings): string {
  return `Sordino ${VERSION}, model ${model}, ${engineName(engine)}; ${device()}`;
}

export function rows({ benchmark, latencySamples, sampleRate, underruns, systems }: Findings): Row[] {
  const together = benchmark.batch > 1 ? `, means of ${benchmark.batch}` : "";
  return [
    ["10 ms frame, back to back", microseconds(benchmark.backToBackUs)],
    ["10 ms frame, one at a time as live audio", microseconds(benchmark.pacedUs)],
    [`slowest of ${benchmark.frames} frames${together}`, `${Math.round(benchmark.worstUs)} µs`],
    ["latency, by an impulse", latencyInWords(latencySamples, sampleRate)],
    ["memory of the engine", mebibytes(benchmark.memoryBytes)],
    ["underruns since the page began to play", String(underruns)],
    ...systems.map(([name, cost]): Row => [`a whole graph with ${name}`, `${(1 / cost).toFixed(0)} × real time`]),
  ];
}

export function markdown(findings: Findings): string {
  const table = rows(findings).map(([what, value]) => `| ${what} | ${value} |`);
  return [title(findings), "", "| | |", "|---|--:|", ...table, ""].join("\n");
}

export function fillTable(table: HTMLTableElement, findings: Findings): void {
  const lines = rows(findings).map(([what, value]) => {
    const line = made("tr");
    line.append(made("th", what, { scope: "row" }), made("td", value));
    return line;
  });
  const bodyOfTable = made("tbody");
  bodyOfTable.append(...lines);
  table.replaceChildren(made("caption", title(findings)), bodyOfTable);
}
