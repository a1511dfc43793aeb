// Page thread: decoding where the worker cannot (no WebCodecs): the browser decodes the whole file into memory at once.

import { asFileError, FileError } from "./errors.js";
import type { Request, SoundFormat } from "./messages.js";

/** Most bytes of decoded samples, and of a file of which nothing is known. */
const LARGEST_DECODED = 512 << 20;
const LARGEST_UNKNOWN = 64 << 20;
const USUAL_RATE = 48_000;

/** Decodes one file when the worker asks for it, and hands it over a second at a time. */
export class PageDecoder {
  readonly #file: File;
  readonly #post: (request: Request, transfer?: Transferable[]) => void;
  #sound: AudioBuffer | undefined;
  #sent = 0;

  constructor(file: File, post: (request: Request, transfer?: Transferable[]) => void) {
    this.#file = file;
    this.#post = post;
  }

  /** known: what the container says. Answers "decoded" or "refused"; never rejects. */
  async decode(known: SoundFormat | undefined): Promise<void> {
    try {
      checkSize(this.#file, known);
      const context = new OfflineAudioContext(1, 1, known?.sampleRate ?? USUAL_RATE);
      this.#sound = await context.decodeAudioData(await this.#file.arrayBuffer());
      const { sampleRate, numberOfChannels: channels, duration: seconds } = this.#sound;
      this.#post({ type: "decoded", format: { sampleRate, channels, seconds } });
    } catch (cause) {
      const { code, message } = asFileError(cause, known ? "undecodable" : "not-audio");
      this.#post({ type: "refused", code, message: `${this.#file.name}: ${message}` });
    }
  }

  /** Answers "block". */
  sendNext(): void {
    const sound = this.#sound;
    const [from, to] = [this.#sent, this.#sent + (sound?.sampleRate ?? 0)];
    if (!sound || from >= sound.length) {
      this.#post({ type: "block", planes: undefined });
      return;
    }
    const planes = Array.from({ length: sound.numberOfChannels }, (_, c) => sound.getChannelData(c).slice(from, to));
    this.#sent = to;
    this.#post(
      { type: "block", planes },
      planes.map((plane) => plane.buffer),
    );
  }
}

/** throws FileError "too-long", before anything is decoded */
function checkSize(file: File, known: SoundFormat | undefined): void {
  const bytes = known ? known.seconds * known.sampleRate * known.channels * Float32Array.BYTES_PER_ELEMENT : file.size;
  if (bytes <= (known ? LARGEST_DECODED : LARGEST_UNKNOWN)) return;
  const size = `${Math.round(bytes / 1e6)} MB`;
  throw new FileError(
    "too-long",
    `this browser can only decode a whole file at once, and ${size} are too many for that`,
  );
}
