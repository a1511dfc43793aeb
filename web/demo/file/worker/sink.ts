// File worker: where the result goes while it grows: a file in the origin private file system, or parts of a Blob.

import { BlobSink, type Sink } from "../../wav/sink.js";
import { FileError } from "../errors.js";
import { FOLDER } from "../messages.js";

/** On disk, whatever the length. */
class DiskSink implements Sink {
  readonly #folder: FileSystemDirectoryHandle;
  readonly #file: FileSystemFileHandle;
  readonly #access: FileSystemSyncAccessHandle;
  #at = 0;

  private constructor(
    folder: FileSystemDirectoryHandle,
    file: FileSystemFileHandle,
    access: FileSystemSyncAccessHandle,
  ) {
    this.#folder = folder;
    this.#file = file;
    this.#access = access;
  }

  static async open(name: string): Promise<DiskSink> {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER, { create: true });
    const file = await folder.getFileHandle(name, { create: true });
    return new DiskSink(folder, file, await file.createSyncAccessHandle());
  }

  begin(headerBytes: number): void {
    this.#at = headerBytes;
  }

  append(bytes: Uint8Array<ArrayBuffer>): void {
    this.#write(bytes, this.#at);
    this.#at += bytes.length;
  }

  async finish(header: Uint8Array<ArrayBuffer>): Promise<Blob> {
    this.#write(header, 0);
    this.#access.flush();
    this.#access.close();
    return this.#file.getFile();
  }

  async abandon(): Promise<void> {
    this.#access.close();
    await this.#folder.removeEntry(this.#file.name);
  }

  #write(bytes: Uint8Array<ArrayBuffer>, at: number): void {
    let written = 0;
    try {
      written = this.#access.write(bytes, { at });
    } catch (cause) {
      throw full(at, cause);
    }
    if (written !== bytes.length) throw full(at);
  }
}

function full(at: number, cause?: unknown): FileError {
  const size = `${Math.round(at / 1e6)} MB`;
  return new FileError("disk-full", `the browser gives this page no more space after ${size} of the result`, cause);
}

/** entry: name of the file on disk; undefined where there is no such disk */
export async function openSink(entry: string | undefined): Promise<Sink> {
  if (entry === undefined) return new BlobSink();
  try {
    return await DiskSink.open(entry);
  } catch {
    return new BlobSink();
  }
}
