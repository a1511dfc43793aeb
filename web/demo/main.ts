// Page thread: what the user does, what the page says.
//
// For tests and the curious, <body> tells what is going on: data-state (one of State), data-suppression (on, off), data-playing,
// data-engine, data-model, data-latency (samples), data-frames (worked off so far), data-voice (yes, no).
// ?engine=simd128 or ?engine=relaxed in the address asks for that kernel.

import { type EngineName, type Readout, SordinoError } from "sordino";
import { element, Readings } from "./meters.js";
import { openMicrophone, Player } from "./player.js";
import { Spectrogram } from "./spectrogram.js";

type State = "idle" | "loading" | "clip" | "microphone" | "refused" | "no-microphone" | "error";

const WORDS: Readonly<Record<State, string>> = {
  idle: "Nothing is playing. Choose a clip, or speak into your microphone.",
  loading: "Fetching the engine and the model. This takes a moment, once.",
  clip: "Playing a noisy recording, again and again. Switch the suppression off and on to compare.",
  microphone: "Your microphone is live. The pictures show what comes in and what would be sent.",
  refused:
    "The browser was told not to open the microphone. Allow it in the settings of this site (beside the address), then press “My microphone” again. The clips work without it.",
  "no-microphone":
    "There is no microphone to be found. Connect one and press “My microphone” again, or listen to a clip.",
  error: "Something went wrong, so the noise is not being removed. Choose a source again to start afresh.",
};

const body = document.body.dataset;
const power = element<HTMLButtonElement>("#switch");
const monitor = element<HTMLInputElement>("#monitor");
const tiles = document.querySelectorAll<HTMLButtonElement>("button[data-source]");
const readings = new Readings();
const pictures = {
  before: new Spectrogram(element("#before canvas")),
  after: new Spectrogram(element("#after canvas")),
};
let player: Player | undefined;
/** Counts the user's choices, so that what an earlier one was waiting for is dropped. */
let choice = 0;

function show(state: State, detail = ""): void {
  body.state = state;
  element("#status").textContent = WORDS[state];
  element("#detail").textContent = detail;
  element("#detail").hidden = detail === "";
  element("#monitor-row").hidden = state !== "microphone";
}

function live(): boolean {
  return body.state === "clip" || body.state === "microphone";
}

function mark(source: string): void {
  body.playing = source;
  for (const tile of tiles) tile.setAttribute("aria-pressed", String(tile.dataset.source === source));
}

/** End what plays and say why. */
function rest(state: State, detail = ""): void {
  choice += 1;
  player?.stop();
  mark("");
  readings.rest();
  pictures.before.clear();
  pictures.after.clear();
  show(state, detail);
}

function fail(error: unknown): void {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") rest("refused");
  else if (name === "NotFoundError" || name === "OverconstrainedError") rest("no-microphone");
  else {
    const code = error instanceof SordinoError ? `${error.code}: ` : "";
    rest("error", code + (error instanceof Error ? error.message : String(error)));
    player?.close();
    player = undefined;
  }
}

function wantedEngine(): EngineName | "auto" {
  const wanted = new URLSearchParams(location.search).get("engine");
  return wanted === "relaxed" || wanted === "simd128" ? wanted : "auto";
}

/** The player, made at the first choice. rejects SordinoError */
async function ready(): Promise<Player> {
  if (player) return player;
  const made = await Player.open(wantedEngine(), power.ariaChecked === "false");
  if (player) {
    made.close();
    return player;
  }
  player = made;
  made.node.bypass = power.ariaChecked === "false";
  made.node.addEventListener("readout", (event) => {
    if (live()) readings.show((event as CustomEvent<Readout>).detail);
  });
  made.node.addEventListener("error", (event) => fail((event as ErrorEvent).error));
  readings.describe(made.node);
  body.engine = made.node.engine;
  body.model = made.node.model;
  body.latency = String(made.node.latency.samples);
  return made;
}

async function playClip(name: string, mine: number): Promise<void> {
  const current = await ready();
  const buffer = await current.loadClip(name);
  if (mine !== choice) return;
  current.playClip(buffer);
  show("clip");
}

async function playMicrophone(mine: number): Promise<void> {
  const current = await ready();
  const stream = await openMicrophone();
  if (mine !== choice) {
    for (const track of stream.getTracks()) track.stop();
    return;
  }
  stream.getAudioTracks()[0]!.addEventListener("ended", () => rest("no-microphone"));
  current.playMicrophone(stream, monitor.checked);
  show("microphone");
}

/** A tile was pressed: play it, or stop when it plays already. */
async function choose(source: string): Promise<void> {
  if (source === body.playing) {
    rest("idle");
    return;
  }
  rest("loading");
  mark(source);
  const mine = choice;
  try {
    await (source === "microphone" ? playMicrophone(mine) : playClip(source, mine));
  } catch (error) {
    if (mine === choice) fail(error);
  }
}

function toggle(): void {
  const on = power.ariaChecked !== "true";
  power.ariaChecked = String(on);
  body.suppression = on ? "on" : "off";
  if (player) player.node.bypass = !on;
}

function draw(): void {
  if (player && live()) {
    pictures.before.draw(player.before);
    pictures.after.draw(player.after);
  }
  requestAnimationFrame(draw);
}

for (const tile of tiles) {
  tile.addEventListener("click", () => void choose(tile.dataset.source!));
  // A mouse click does not take the focus, so that the space bar goes on working the switch.
  tile.addEventListener("mousedown", (event) => event.preventDefault());
}
power.addEventListener("click", toggle);
monitor.addEventListener("change", () => {
  if (player && body.state === "microphone") player.audible = monitor.checked;
});
document.addEventListener("keydown", (event) => {
  if (event.code !== "Space" || event.repeat || (event.target as Element).closest("button, input, a")) return;
  event.preventDefault();
  toggle();
});
rest("idle");
requestAnimationFrame(draw);
