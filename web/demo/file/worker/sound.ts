// File worker: sound that is decoded piece by piece, whatever it comes from.

import type { Subtype, WavExtras } from "../../wav/extras.js";
import type { SoundFormat } from "../messages.js";

/** Samples of one moment: [channels][frames], which hold until the next block is asked for. */
export interface Block {
  readonly planes: readonly Float32Array[];
  readonly frames: number;
  readonly sampleRate: number;
}

/** A source of sound. */
export interface Sound {
  /** What the file says of itself; a decoder may know better. */
  readonly format: SoundFormat;
  readonly subtype: Subtype;
  readonly extras: WavExtras;
  /** What was found missing or damaged; complete when blocks() has ended. */
  readonly faults: string[];
  /** False where this worker has no decoder. */
  readonly decodable: boolean;
  /** rejects FileError "damaged" */
  blocks(): AsyncGenerator<Block>;
  close(): void;
}
