// Page thread: the panel that keeps what was heard: records the sound before and after, cleans whole files.

import type { ModelName, Preset } from "sordino";
import { FileError, processFile } from "../file/process.js";
import type { Player } from "../hear/player.js";
import { body, download, element, made } from "../page/dom.js";
import { Recorder, type Recording } from "./recorder.js";

const SHOW_MS = 250;
/** Longer files are not decoded whole to be compared: that would take too much memory. */
const COMPARED_S = 180;

/** What the panel needs of the page. */
export interface KeepHost {
  /** Undefined before something was played. */
  player(): Player | undefined;
  settings(): { readonly model: ModelName; readonly preset: Preset; readonly attenuationLimitDb: number };
  /** Play a pair of recordings side by side, under this title. */
  compare(before: Blob, after: Blob, title: string): Promise<void>;
}

function minutes(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export class KeepPanel {
  readonly #host: KeepHost;
  readonly #button = element("#record");
  /** What the button says while nothing is recorded. */
  readonly #idle = this.#button.textContent;
  readonly #audio = made("audio", "", { controls: "", "aria-label": "The cleaned file" });
  #recorder: Recorder | undefined;
  #recording: Recording | undefined;
  #file: File | undefined;
  #cancel: AbortController | undefined;
  #result: { clean: File; release(): Promise<void> } | undefined;

  constructor(host: KeepHost) {
    this.#host = host;
    element("#file-audio-home").append(this.#audio);
    const on = (id: string, act: () => unknown): void =>
      element(id).addEventListener(
        "click",
        () => void Promise.resolve(act()).catch((error) => this.#say(String(error))),
      );
    on("#record", () => void (this.#recorder ? this.stopRecording() : this.#record()));
    on("#recording-before", () => download(this.#recording!.before, "sordino-before.wav"));
    on("#recording-after", () => download(this.#recording!.after, "sordino-after.wav"));
    on("#recording-play", () => this.#host.compare(this.#recording!.before, this.#recording!.after, "your recording"));
    on("#file-clean", () => this.#clean());
    on("#file-cancel", () => this.#cancel?.abort());
    on("#file-download", () => download(this.#result!.clean, this.#result!.clean.name));
    on("#file-play", () => this.#host.compare(this.#file!, this.#result!.clean, this.#file!.name));
    setInterval(() => this.#tick(), SHOW_MS);
  }

  /** A file was chosen: it can be cleaned as a whole. */
  offer(file: File): void {
    this.#cancel?.abort();
    this.#file = file;
    element("#file-panel").hidden = false;
    element("#file-name").textContent = file.name;
    element("#file-result").hidden = true;
    this.#progress(undefined);
    this.#sayFile("");
  }

  async stopRecording(): Promise<void> {
    const recorder = this.#recorder;
    if (!recorder) return;
    this.#recorder = undefined;
    this.#recording = await recorder.stop();
    body.recording = "off";
    this.#button.textContent = this.#idle;
    const { seconds } = this.#recording;
    element("#recording").hidden = seconds === 0;
    this.#say(seconds === 0 ? "Nothing was recorded." : `${minutes(seconds)} recorded, before and after.`);
  }

  async #record(): Promise<void> {
    const player = this.#host.player();
    if (!player?.node || body.playing === "") {
      this.#say("Choose your microphone or another source first.");
      return;
    }
    const { graph } = player;
    const full = (): void => void this.stopRecording();
    this.#recorder = await Recorder.start(graph.context, graph.out("raw"), graph.out("sordino"), full);
    body.recording = "on";
    element("#recording").hidden = true;
    this.#button.textContent = "Stop recording";
  }

  #tick(): void {
    if (!this.#recorder) return;
    body.recorded = String(this.#recorder.seconds);
    this.#say(`Recording, ${minutes(this.#recorder.seconds)}`);
  }

  async #clean(): Promise<void> {
    const file = this.#file!;
    const cancel = new AbortController();
    this.#cancel = cancel;
    await this.#result?.release();
    this.#result = undefined;
    element("#file-result").hidden = true;
    this.#progress(0);
    const begun = performance.now();
    const onProgress = (fraction: number, seconds: number): void => {
      this.#progress(fraction);
      const speed = (1000 * seconds) / (performance.now() - begun);
      this.#sayFile(`${Math.round(100 * fraction)} %, ${Math.round(speed)} times as fast as it plays`);
    };
    try {
      const result = await processFile(file, { ...this.#host.settings(), signal: cancel.signal, onProgress });
      this.#result = result;
      const seconds = (performance.now() - begun) / 1000;
      const lack = result.fault ? ` The file is not whole: ${result.fault}.` : "";
      this.#sayFile(`${minutes(result.seconds)} of sound cleaned in ${seconds.toFixed(1)} s.${lack}`);
      element("#file-result").hidden = false;
      element("#file-play").hidden = result.seconds > COMPARED_S;
      URL.revokeObjectURL(this.#audio.src);
      this.#audio.src = URL.createObjectURL(result.clean);
      body.file = "done";
    } catch (error) {
      body.file = cancel.signal.aborted ? "cancelled" : "failed";
      this.#sayFile(cancel.signal.aborted ? "Cancelled; nothing was kept." : reason(error));
    }
    this.#progress(undefined);
  }

  /** Undefined: nothing is going on. */
  #progress(fraction: number | undefined): void {
    const bar = element<HTMLProgressElement>("#file-progress");
    bar.hidden = fraction === undefined;
    bar.value = fraction ?? 0;
    element("#file-cancel").hidden = fraction === undefined;
    element<HTMLButtonElement>("#file-clean").disabled = fraction !== undefined;
  }

  #say(text: string): void {
    element("#record-status").textContent = text;
  }

  #sayFile(text: string): void {
    element("#file-status").textContent = text;
  }
}

function reason(error: unknown): string {
  if (error instanceof FileError) return error.message;
  return `The file could not be cleaned: ${error instanceof Error ? error.message : error}`;
}
