// File worker: sound that the page decodes, because this worker cannot, and hands over piece by piece.

import type { Subtype, WavExtras } from "../../wav/extras.js";
import { FileError } from "../errors.js";
import type { Reply, Request, SoundFormat } from "../messages.js";
import type { Block, Sound } from "./sound.js";

type Answer = Extract<Request, { readonly type: "decoded" | "refused" | "block" }>;

/** Asks the page one thing at a time. */
export class Page {
  readonly #post: (reply: Reply) => void;
  #settle: { resolve(answer: Answer): void; reject(reason: unknown): void } | undefined;

  constructor(post: (reply: Reply) => void, signal: AbortSignal) {
    this.#post = post;
    signal.addEventListener("abort", () => this.#settle?.reject(signal.reason));
  }

  hear(answer: Answer): void {
    this.#settle?.resolve(answer);
  }

  /**
   * known    what the container says, if it is one that is known
   * rejects  FileError "undecodable", "not-audio" or "too-long"; the signal's reason
   */
  async open(known: SoundFormat | undefined, subtype: Subtype, extras: WavExtras): Promise<Sound> {
    const answer = await this.#ask({ type: "decode", known });
    if (answer.type === "refused") throw new FileError(answer.code, answer.message);
    if (answer.type !== "decoded") throw new FileError("engine", `the page answered "${answer.type}"`);
    const { format } = answer;
    const blocks = () => this.#blocks(format.sampleRate);
    return { format, subtype, extras, faults: [], decodable: true, blocks, close: () => undefined };
  }

  async *#blocks(sampleRate: number): AsyncGenerator<Block> {
    for (;;) {
      const answer = await this.#ask({ type: "more" });
      if (answer.type !== "block" || !answer.planes) return;
      yield { planes: answer.planes, frames: answer.planes[0]!.length, sampleRate };
    }
  }

  #ask(question: Reply): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#post(question);
    });
  }
}
