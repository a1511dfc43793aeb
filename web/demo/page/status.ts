// Page thread: what the page says about what is going on.

import { type Fallback, SordinoError } from "sordino";
import { SCENES } from "../hear/scenes.js";
import { body, element, elements, made } from "./dom.js";

export type State =
  | "idle"
  | "loading"
  | "clip"
  | "microphone"
  | "file"
  | "compare"
  | "refused"
  | "no-microphone"
  | "error";

const LIVE: readonly string[] = ["clip", "microphone", "file", "compare"];

const WORDS: Readonly<Record<State, string>> = {
  idle: "Choose a scene, or speak into your microphone.",
  loading: "The engine is on its way; until it has arrived, the sound passes as it is.",
  clip: "A noisy recording, again and again. Flip the switch to compare.",
  microphone: "Your microphone is live. The pictures show what comes in and what would be sent.",
  file: "Your file, cleaned while it plays. It stays on this device.",
  compare: "Before and after, side by side, to the sample. Flip the switch to compare.",
  refused:
    "The browser was told not to open the microphone. Allow it in the settings of this site (beside the address), then press “Microphone” again. The scenes work without it.",
  "no-microphone":
    "There is no microphone to be found. Connect one and press “Microphone” again, or listen to a scene.",
  error: "Something went wrong, so the noise is not being removed. Choose a source again to start afresh.",
};

/** What there is to say about the state, unless something fails meanwhile. */
let lasting = "";

function explain(detail: string): void {
  element("#detail").textContent = detail;
  element("#detail").hidden = detail === "";
}

export function show(state: State, detail = ""): void {
  body.state = state;
  element("#status").textContent = WORDS[state];
  lasting = detail;
  explain(detail);
  element("#monitor-row").hidden = state !== "microphone";
  element("#media").hidden = state !== "file";
  element<HTMLButtonElement>("#pause").disabled = !isLive();
}

/** The library goes on by itself; undefined: it has. */
export function tellFallback(fallback: Fallback | undefined): void {
  if (!isLive() || fallback?.cause.code === "suspended") return;
  explain(fallback ? `The unchanged sound plays for the moment: ${fallback.cause.message}.` : lasting);
}

export function isLive(): boolean {
  return LIVE.includes(body.state ?? "");
}

/** Mark what plays among the sources, and say where a scene's sounds come from. */
export function mark(source: string): void {
  body.playing = source;
  for (const tile of elements("button[data-source]")) {
    tile.setAttribute("aria-pressed", String(tile.dataset.source === source));
  }
  const scene = SCENES.find(({ name }) => name === source);
  element("#credit").textContent = scene ? `${scene.noise.title} (${scene.noise.licence}); ${scene.snrDb} dB SNR.` : "";
}

/** Which state a failure leads to, with its detail. */
export function stateOf(error: unknown): readonly [State, string] {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return ["refused", ""];
  if (name === "NotFoundError" || name === "OverconstrainedError") return ["no-microphone", ""];
  const code = error instanceof SordinoError ? `${error.code}: ` : "";
  return ["error", code + (error instanceof Error ? error.message : String(error))];
}

/** Who made what is heard: one row per scene. */
export function fillCredits(table: HTMLTableSectionElement): void {
  for (const { title, voice, noise, snrDb } of SCENES) {
    const row = made("tr");
    const noiseCell = made("td");
    if (noise.address) noiseCell.append(made("a", noise.title, { href: noise.address, rel: "noreferrer" }));
    else noiseCell.append(noise.title);
    noiseCell.append(` (${noise.licence}${noise.heardInTraining ? "; the model has heard this recording" : ""})`);
    const voiceCell = made("td");
    voiceCell.append(made("a", voice.title, { href: voice.address, rel: "noreferrer" }), `, ${voice.part}`);
    voiceCell.append(` (${voice.licence})`);
    row.append(made("th", title, { scope: "row" }), noiseCell, voiceCell, made("td", `${snrDb} dB`));
    table.append(row);
  }
}
