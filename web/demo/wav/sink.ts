// Page thread and file worker: where a file goes while it grows; here, the parts of a Blob.

/** Takes a file from behind its header on, and its header last. */
export interface Sink {
  /** Leave room for a header of so many bytes; comes first. */
  begin(headerBytes: number): void;
  /** throws FileError "disk-full" of web/demo/file/errors.ts */
  append(bytes: Uint8Array<ArrayBuffer>): void;
  /** The whole file. rejects FileError "disk-full" */
  finish(header: Uint8Array<ArrayBuffer>): Promise<Blob>;
  /** Let go of everything; nothing stays. */
  abandon(): Promise<void>;
}

/** In memory as far as the script can tell; browsers move large Blobs to the disk. */
export class BlobSink implements Sink {
  #parts: Blob[] = [];

  begin(): void {
    this.#parts = [];
  }

  append(bytes: Uint8Array<ArrayBuffer>): void {
    this.#parts.push(new Blob([bytes]));
  }

  async finish(header: Uint8Array<ArrayBuffer>): Promise<Blob> {
    return new Blob([header, ...this.#parts]);
  }

  async abandon(): Promise<void> {
    this.#parts = [];
  }
}
