// Page thread: pipes the frames of a track to a WritableStream on the page thread, where there is no Worker to do it.

/** Opens a track's stream of AudioData. */
type Open = (track: MediaStreamTrack) => ReadableStream;

/** Pipes one track at a time. */
export class FramePump {
  readonly #writable: WritableStream;
  readonly #open: Open;
  #writer: WritableStreamDefaultWriter<AudioData> | undefined;
  #reader: ReadableStreamDefaultReader<AudioData> | undefined;

  constructor(writable: WritableStream, open: Open) {
    this.#writable = writable;
    this.#open = open;
  }

  start(track: MediaStreamTrack): void {
    this.stop();
    this.#writer ??= this.#writable.getWriter();
    this.#reader = this.#open(track).getReader();
    void this.#pump(this.#reader, this.#writer).catch(() => undefined);
  }

  stop(): void {
    void this.#reader?.cancel().catch(() => undefined);
    this.#reader = undefined;
  }

  async #pump(
    own: ReadableStreamDefaultReader<AudioData>,
    writer: WritableStreamDefaultWriter<AudioData>,
  ): Promise<void> {
    for (;;) {
      const { value: frame, done } = await own.read();
      if (done) return;
      if (this.#reader === own) await writer.write(frame);
      else frame.close();
    }
  }
}
