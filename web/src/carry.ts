// Page thread: carries the frames of a track to a stream that only the page can still write to.

/** Opens the frames of a track. */
type Open = (track: MediaStreamTrack) => ReadableStream;

/** One track at a time; the next one follows as soon as the one before has let go. */
export class Carrier {
  readonly #writable: WritableStream;
  readonly #open: Open;
  #under: Promise<void> = Promise.resolve();
  #end = new AbortController();

  constructor(writable: WritableStream, open: Open) {
    this.#writable = writable;
    this.#open = open;
  }

  carry(track: MediaStreamTrack): void {
    this.stop();
    this.#end = new AbortController();
    const kept = { signal: this.#end.signal, preventAbort: true, preventClose: true };
    this.#under = this.#under.then(() => this.#open(track).pipeTo(this.#writable, kept)).catch(() => undefined);
  }

  stop(): void {
    this.#end.abort();
  }
}
