// Page thread: puts the page together: what the user chooses, what plays, what is drawn, measured and kept.
//
// For tests and the curious, <body> tells what is going on: data-state (one of State), data-suppression (on, off), data-playing,
// data-engine, data-model, data-rate (Hz), data-latency (samples), data-frames (worked off so far), data-voice (yes, no), data-paused,
// data-cleaner, data-blind, data-call, data-recording, data-file. In the console, `player` is what plays.
// ?engine=simd128 or ?engine=relaxed in the address asks for that kernel.

import type { Fallback, Readout, SordinoNode } from "sordino";
import { contextFor } from "../src/graph/voice-graph.js";
import { CallPanel } from "./call/panel.js";
import { BlindTest } from "./hear/blind.js";
import { FileMedia } from "./hear/file-media.js";
import { Listening } from "./hear/listening.js";
import { type Build, openMicrophone, Player, SAMPLE_RATE } from "./hear/player.js";
import { fetchScene, SCENES, sceneAddress } from "./hear/scenes.js";
import { Settings } from "./hear/settings.js";
import { KeepPanel } from "./keep/panel.js";
import { MeasurePanel } from "./measure/panel.js";
import { body, element, elements, inKilohertz } from "./page/dom.js";
import { onFile } from "./page/files.js";
import { fillCredits, isLive, mark, type State, show, stateOf, tellFallback } from "./page/status.js";
import { Readings } from "./see/readings.js";
import { View } from "./see/view.js";

declare global {
  var player: Player | undefined;
}
globalThis.player = undefined;

const monitor = element<HTMLInputElement>("#monitor");
const pauseButton = element<HTMLButtonElement>("#pause");
const view = new View();
const readings = new Readings();
const listening = new Listening();
const measure = new MeasurePanel();
const settings = new Settings(fail, renew);
const call = new CallPanel(() => player?.graph);
const keep = new KeepPanel({ player: () => player, settings: () => settings, compare });
const blind = new BlindTest({
  prepare: (ways) => listening.prepare(ways),
  hear: (way) => listening.hide(way),
});
const media = new FileMedia({
  begun() {
    if (body.playing !== "file") return;
    setPaused(false);
    void player?.pause(false);
  },
  failed() {
    if (body.playing === "file") rest("error", "The browser cannot play this file.");
  },
});
/** Counts the user's choices, so that what an earlier one was waiting for is dropped. */
let choice = 0;

/** End what plays and say why. */
function rest(state: State, detail = ""): void {
  choice += 1;
  blind.end();
  if (body.call === "on") call.hangUp();
  void keep.stopRecording();
  player?.stop();
  mark("");
  readings.rest();
  view.clear();
  setPaused(false);
  show(state, detail);
}

function fail(error: unknown): void {
  const [state, detail] = stateOf(error);
  rest(state, detail);
  if (state === "error") dismiss();
}

/** Let go of the player; the next choice makes another. */
function dismiss(): void {
  if (!player) return;
  player.close();
  globalThis.player = undefined;
  settings.forget();
  listening.adopt(undefined);
  media.renew();
}

function wanted(): Build {
  const named = new URLSearchParams(location.search).get("engine");
  const engine = named === "relaxed" || named === "simd128" ? named : "auto";
  return { engine, model: settings.model, lookAhead: settings.lookAhead };
}

/** The player, made at the first choice, and anew when the last one was for a microphone of another rate. */
function thePlayer(): Player {
  if (player?.context.sampleRate === SAMPLE_RATE) return player;
  return newPlayer(new AudioContext({ sampleRate: SAMPLE_RATE }));
}

/** The player that plays a track, at the only rate at which the browser may do so. throws SordinoError where there is none */
function playerFor(track: MediaStreamTrack): Player {
  return player?.canPlay(track) ? player : newPlayer(contextFor(track));
}

/** A player in the place of the last one. */
function newPlayer(context: AudioContext): Player {
  dismiss();
  const created = new Player(context, wanted());
  globalThis.player = created;
  listening.adopt(created);
  created.ready.then(
    (node) => adopt(created, node),
    () => undefined,
  );
  return created;
}

/** The settings want another node: what plays goes on in the old one until the new one is there. */
function renew(): void {
  const current = player;
  current?.renew(wanted()).then(
    (node) => adopt(current, node),
    (error: unknown) => {
      if (player === current) fail(error);
    },
  );
}

/** A node has come: it gets what is set, and tells what it hears. */
function adopt(current: Player, node: SordinoNode): void {
  if (player !== current) {
    node.destroy();
    return;
  }
  node.addEventListener("readout", (event) => hear(current, (event as CustomEvent<Readout>).detail));
  node.addEventListener("fallback", (event) => tellFallback((event as CustomEvent<Fallback>).detail));
  node.addEventListener("ready", () => {
    tellFallback(undefined);
    if (node.model !== body.model) describe(current, node);
  });
  settings.apply(node);
  describe(current, node);
}

/** What does not change from frame to frame; the model may change, as the user wants or because it was too slow. */
function describe(current: Player, node: SordinoNode): void {
  body.engine = node.engine;
  body.model = node.model;
  body.rate = String(current.context.sampleRate);
  body.latency = String(node.latency.samples);
  measure.adopt(current, node, settings.lookAhead);
}

function hear(current: Player, readout: Readout): void {
  if (!isLive() || body.paused === "yes") return;
  readings.show(readout, current.before, current.after);
  view.hear(readout);
  measure.show(readout);
}

/** Fetches what it needs and plays it unless the user has gone on by then. Returns what else there is to say. */
type Start = (still: () => boolean) => Promise<string | undefined>;

/** Begin something else. */
async function play(source: string, state: State, start: Start): Promise<void> {
  rest("loading");
  mark(source);
  const mine = choice;
  const still = (): boolean => mine === choice;
  try {
    const detail = await start(still);
    if (still()) await player?.ready;
    if (still()) show(state, detail);
  } catch (error) {
    if (still()) fail(error);
  }
}

function playScene(name: string): Promise<void> {
  return play(name, "clip", async (still) => {
    const current = thePlayer();
    const buffer = await current.context.decodeAudioData(await fetchScene(name));
    if (still()) current.playScene(buffer);
    return undefined;
  });
}

function playMicrophone(): Promise<void> {
  return play("microphone", "microphone", async (still) => {
    if (!player) thePlayer();
    const stream = await openMicrophone();
    const track = stream.getAudioTracks()[0]!;
    if (!still()) {
      track.stop();
      return undefined;
    }
    try {
      playerFor(track).playMicrophone(stream, monitor.checked);
    } catch (error) {
      track.stop();
      throw error;
    }
    track.addEventListener("ended", () => rest("no-microphone"));
    return rateInWords(player!.context.sampleRate);
  });
}

/** What to know when the microphone does not play at the usual rate. */
function rateInWords(sampleRate: number): string | undefined {
  if (sampleRate === SAMPLE_RATE) return undefined;
  const rate = inKilohertz(sampleRate);
  return `This browser plays your microphone at ${rate} only. To compare with RNNoise and GTCRN, which need 48 kHz, choose a scene.`;
}

function playFile(file: File): Promise<void> {
  keep.offer(file);
  return play("file", "file", async () => {
    const current = thePlayer();
    current.playMedia(media.load(file));
    return (await media.playsByItself()) ? undefined : "This browser plays it when you press play below.";
  });
}

function compare(before: Blob, after: Blob, title: string): Promise<void> {
  return play("", "compare", async (still) => {
    const current = thePlayer();
    const decode = async (blob: Blob): Promise<AudioBuffer> =>
      current.context.decodeAudioData(await blob.arrayBuffer());
    const [raw, clean] = await Promise.all([decode(before), decode(after)]);
    if (still()) current.playPair(raw, clean);
    element("#credit").textContent = title;
    return undefined;
  });
}

/** A source was pressed: play it, or stop when it plays already. */
function choose(source: string): void {
  if (source === "file") element("#file").click();
  else if (source === body.playing) rest("idle");
  else void (source === "microphone" ? playMicrophone() : playScene(source));
}

function setPaused(paused: boolean): void {
  body.paused = paused ? "yes" : "no";
  pauseButton.setAttribute("aria-pressed", String(paused));
}

function togglePause(): void {
  if (!isLive()) return;
  const paused = body.paused !== "yes";
  setPaused(paused);
  void player?.pause(paused);
}

function draw(): void {
  measure.countFrame();
  if (player && isLive() && body.paused !== "yes") view.draw(player.before, player.after);
  requestAnimationFrame(draw);
}

/** Fill the browser's cache with what the first click will need while nobody waits for it. */
async function fetchAhead(): Promise<void> {
  for (const address of [`sordino/models/${settings.model}.sordino`, sceneAddress(SCENES[0]!.name)]) {
    const response = await fetch(address, { priority: "low" });
    await response.arrayBuffer();
  }
}

for (const tile of elements("button[data-source]")) tile.addEventListener("click", () => choose(tile.dataset.source!));
// A mouse click on these does not take the focus, so that the space bar goes on working the switch.
for (const button of elements("button[data-source], button.screen, #pause")) {
  button.addEventListener("mousedown", (event) => event.preventDefault());
}
onFile((file) => void playFile(file));
for (const button of [pauseButton, ...elements("button.screen")]) button.addEventListener("click", togglePause);
monitor.addEventListener("change", () => {
  if (player && body.state === "microphone") player.graph.audible = monitor.checked;
});
document.addEventListener("keydown", (event) => {
  if (event.code !== "Space" || event.repeat) return;
  if ((event.target as Element).closest("button, input, select, a, summary, audio, video, textarea")) return;
  event.preventDefault();
  if (!blind.running) listening.toggle();
});
fillCredits(element<HTMLTableSectionElement>("#credits tbody"));
rest("idle");
requestAnimationFrame(draw);
// Without it the first click fetches for itself, and says so where that fails.
addEventListener("load", () => void fetchAhead().catch(() => undefined));
