// Page thread: what is heard: the big switch between raw and clean, which system cleans, and a blind test's wishes.

import { body, element, elements, markSegment, segments } from "../page/dom.js";
import type { LoudnessMatch, Raised } from "./loudness.js";
import { loadPeer, PEER_NAMES, PEERS, type Peer } from "./peers.js";
import type { Player } from "./player.js";
import type { Way } from "./way.js";

const SYSTEMS: readonly (readonly [Way, string])[] = [
  ["sordino", "Sordino"],
  ...PEERS.map((peer) => [peer, PEER_NAMES[peer]] as const),
];

export class Listening {
  readonly #power = element<HTMLButtonElement>("#switch");
  readonly #systems = element("#systems");
  readonly #matching = element<HTMLInputElement>("#match");
  readonly #loading = new Map<Peer, Promise<void>>();
  #match: LoudnessMatch | undefined;
  #player: Player | undefined;
  #cleaner: Way = "sordino";
  #hidden: Way | undefined;

  constructor() {
    segments(this.#systems, SYSTEMS, "sordino", (value) => void this.#choose(value as Way));
    this.#power.addEventListener("click", () => this.toggle());
    this.#matching.addEventListener("change", () => {
      if (this.#match) this.#match.on = this.#matching.checked;
    });
  }

  /** Another player: it gets what is chosen. */
  adopt(player: Player | undefined): void {
    this.#player = player;
    this.#match = undefined;
    this.#say({});
    if (player) void this.#startMatching(player);
    this.#loading.clear();
    this.#cleaner = "sordino";
    markSegment(this.#systems, "sordino");
    element("#systems-status").textContent = "";
    this.#apply();
  }

  toggle(): void {
    const on = this.#power.ariaChecked !== "true";
    this.#power.ariaChecked = String(on);
    body.suppression = on ? "on" : "off";
    this.#apply();
  }

  /** A blind test's choice; undefined gives the switch its say again. */
  hide(way: Way | undefined): void {
    this.#hidden = way;
    this.#apply();
  }

  /** Load these systems into the player. rejects Error, or when nothing has been played yet */
  async prepare(ways: readonly Way[]): Promise<void> {
    const player = this.#player;
    if (!player) throw new Error("Choose something to listen to first.");
    await player.ready;
    for (const way of ways) if (way !== "raw" && way !== "sordino") await this.#load(player, way);
  }

  async #choose(way: Way): Promise<void> {
    const status = element("#systems-status");
    const player = this.#player;
    try {
      if (!player) throw new Error("Choose something to listen to first.");
      status.textContent = player.graph.has(way) ? "" : "Fetching it and measuring its latency…";
      await this.prepare([way]);
      status.textContent = this.#latencyInWords(way);
      this.#cleaner = way;
    } catch (error) {
      status.textContent = error instanceof Error ? error.message : String(error);
    }
    markSegment(this.#systems, this.#cleaner);
    this.#apply();
  }

  /** After the engine, which nothing shall delay. */
  async #startMatching(player: Player): Promise<void> {
    try {
      await player.ready;
      const match = await player.graph.matchLoudness((raised) => this.#say(raised));
      if (this.#player !== player) return;
      match.on = this.#matching.checked;
      this.#match = match;
    } catch {
      if (this.#player === player) element("#match-gain").textContent = "not to be had here";
    }
  }

  /** By how much what cleans is raised. */
  #say(raised: Raised): void {
    const db = this.#matching.checked ? (raised[this.#cleaner] ?? 0) : 0;
    element("#match-gain").textContent = `+${db.toFixed(1)} dB`;
  }

  /** Once per peer and player. */
  #load(player: Player, peer: Peer): Promise<void> {
    const before = this.#loading.get(peer);
    if (before) return before;
    const loaded = loadPeer(peer, player.context).then(({ node, latencySamples }) => {
      player.graph.attach(peer, node, latencySamples);
      body[`latency${PEER_NAMES[peer]}`] = String(latencySamples);
    });
    this.#loading.set(peer, loaded);
    loaded.catch(() => this.#loading.delete(peer));
    return loaded;
  }

  #latencyInWords(way: Way): string {
    if (way === "sordino") return "";
    const ms = (1000 * Number(body[`latency${PEER_NAMES[way as Peer]}`])) / this.#player!.context.sampleRate;
    return `Its latency is ${ms.toFixed(1)} ms, measured here; it waits for the slowest, so that all play in step.`;
  }

  #apply(): void {
    const { graph } = this.#player ?? {};
    element("#cleaner").textContent = SYSTEMS.find(([way]) => way === this.#cleaner)![1];
    body.cleaner = this.#cleaner;
    for (const whose of elements(".whose")) whose.hidden = this.#cleaner === "sordino";
    if (!graph) return;
    graph.clean(this.#cleaner);
    graph.listen(this.#hidden ?? (body.suppression === "on" ? this.#cleaner : "raw"));
  }
}
