// Audio thread: one wasm instance, with one copy of the weights, for all streams of this scope that use the same files.

import type { EngineFiles } from "../protocol/messages.js";
import { TOGETHER, WEIGHT_FAILURES } from "../protocol/params.js";
import { Allocator, EngineError, instantiate, instantiateNow, type Kernel } from "./kernel.js";

/** Milliseconds, as fine as the thread can tell. */
const { performance: fine } = globalThis as { performance?: { now(): number } };
const now = fine ? (): number => fine.now() : Date.now;

/** One sordino_state. */
export interface Stream {
  readonly at: number;
  /** Network parts of the current hop still to be computed. */
  left: number;
  /** Milliseconds that other streams spent on this one, minus those that it spent on others. */
  owedMs: number;
}

/** Holds views of the memory. */
export interface Holder {
  /** The memory has grown and the views are detached. */
  renew(): void;
}

/** A module instance. begin(), advance() and finish() allocate nothing; whatever calls the kernel may trap. */
export class SharedKernel {
  /** How many share() has given it to, less unshare(). */
  users = 0;
  readonly kernel: Kernel;
  readonly allocator: Allocator;
  readonly #wasm: Uint8Array;
  readonly #name: string;
  readonly #weightsAt: number;
  readonly #weightBytes: number;
  readonly #listAt: number;
  readonly #holders = new Set<Holder>();
  readonly #streams: Stream[] = [];
  readonly #together: (Stream | undefined)[] = new Array(TOGETHER).fill(undefined);
  #list: Uint32Array;

  private constructor(kernel: Kernel, files: EngineFiles) {
    this.kernel = kernel;
    this.allocator = new Allocator(kernel, () => this.#renew());
    this.#wasm = new Uint8Array(files.wasm);
    this.#name = files.from?.weights ?? "";
    this.#weightBytes = files.weights.byteLength;
    this.#weightsAt = this.allocator.reserve(this.#weightBytes);
    this.#listAt = this.allocator.reserve(TOGETHER * Uint32Array.BYTES_PER_ELEMENT);
    this.allocator.commit();
    this.#list = new Uint32Array(kernel.memory.buffer, this.#listAt, TOGETHER);
    this.#weights().set(new Uint8Array(files.weights));
  }

  /** Compile the module and load the weights. rejects EngineError "wasm" or "memory" */
  static async load(files: EngineFiles): Promise<SharedKernel> {
    return new SharedKernel(await instantiate(files), files);
  }

  /** As load(), at once. throws EngineError "wasm" or "memory" */
  static make(files: EngineFiles): SharedKernel {
    return new SharedKernel(instantiateNow(files), files);
  }

  /** Bytes of the memory, everything counted. */
  get memoryBytes(): number {
    return this.kernel.memory.buffer.byteLength;
  }

  isOf(files: EngineFiles): boolean {
    return same(this.#wasm, new Uint8Array(files.wasm)) && same(this.#weights(), new Uint8Array(files.weights));
  }

  /** Until leave(), renew() is called whenever the memory grows. */
  join(holder: Holder): void {
    this.#holders.add(holder);
  }

  leave(holder: Holder): void {
    this.#holders.delete(holder);
  }

  /** Prepare a stream; the memory may grow. lookAhead: default the model's own. throws EngineError "weights" */
  open(lookAhead?: number): Stream {
    const at = this.allocator.reserve(this.kernel.sordino_state_bytes());
    this.allocator.commit();
    const answer = this.kernel.sordino_init(at, this.#weightsAt, this.#weightBytes);
    if (answer !== 0) {
      this.allocator.free(at, this.kernel.sordino_state_bytes());
      const what = WEIGHT_FAILURES[answer] ?? `refused by the kernel (${answer})`;
      throw new EngineError("weights", `${this.#name} (${this.#weightBytes} bytes) is ${what}`);
    }
    if (lookAhead !== undefined) this.kernel.sordino_set_look_ahead(at, lookAhead);
    const stream = { at, left: 0, owedMs: 0 };
    this.#streams.push(stream);
    return stream;
  }

  close(stream: Stream): void {
    this.#streams.splice(this.#streams.indexOf(stream), 1);
    this.allocator.free(stream.at, this.kernel.sordino_state_bytes());
  }

  /** Reset the state and drop the current hop. */
  reset(stream: Stream): void {
    this.kernel.sordino_reset(stream.at);
    stream.left = 0;
  }

  /** Analyse a hop; returns how many parts the network has. */
  begin(stream: Stream, inputAt: number): number {
    stream.left = this.kernel.sordino_begin(stream.at, inputAt);
    return stream.left;
  }

  /** Compute parts until no more than `left` are left; full fours of streams at the same part go on together. */
  advance(stream: Stream, left: number): void {
    while (stream.left > left) {
      const count = this.#gather(stream);
      const begin = now();
      this.kernel.sordino_advance_together(this.#listAt, count);
      const share = (now() - begin) / count;
      stream.owedMs -= share * count;
      for (let i = 0; i < count; i++) {
        this.#together[i]!.owedMs += share;
        this.#together[i]!.left--;
      }
    }
  }

  /** Compute what is left and give the hop out. */
  finish(stream: Stream, outputAt: number): void {
    this.advance(stream, 0);
    this.kernel.sordino_finish(stream.at, outputAt);
  }

  /** List the stream and, if there are enough that stand where it stands, three others. Returns how many. */
  #gather(stream: Stream): number {
    let count = 1;
    this.#together[0] = stream;
    for (let i = 0; i < this.#streams.length && count < TOGETHER; i++) {
      const other = this.#streams[i]!;
      if (other !== stream && other.left === stream.left) this.#together[count++] = other;
    }
    if (count < TOGETHER) count = 1;
    for (let i = 0; i < count; i++) this.#list[i] = this.#together[i]!.at;
    return count;
  }

  #weights(): Uint8Array {
    return new Uint8Array(this.kernel.memory.buffer, this.#weightsAt, this.#weightBytes);
  }

  #renew(): void {
    this.#list = new Uint32Array(this.kernel.memory.buffer, this.#listAt, TOGETHER);
    for (const holder of this.#holders) holder.renew();
  }
}

/** The instances of this scope that are in use. */
const used: SharedKernel[] = [];
/**
 * The last one that was. It waits for the next stream until the browser wants its memory back: an address space holds
 * little more than a hundred, and a scope lives as long as its context.
 */
let last: WeakRef<SharedKernel> | undefined;
/** Serialises starts, so that streams that start at the same time share an instance. */
let starting: Promise<unknown> = Promise.resolve();

/** The scope's instance for these files, until unshare(). rejects EngineError "wasm" or "memory" */
export function share(files: EngineFiles): Promise<SharedKernel> {
  const found = starting.then(() => find(files));
  // The promise that others wait for must not hold what it resolves to.
  starting = found.then(
    () => undefined,
    () => undefined,
  );
  return found;
}

async function find(files: EngineFiles): Promise<SharedKernel> {
  return use(present(files) ?? (await SharedKernel.load(files)));
}

/** As share(), at once. throws EngineError "wasm" or "memory" */
export function shareNow(files: EngineFiles): SharedKernel {
  return use(present(files) ?? SharedKernel.make(files));
}

function present(files: EngineFiles): SharedKernel | undefined {
  return used.find((candidate) => candidate.isOf(files)) ?? takeLast(files);
}

function use(shared: SharedKernel): SharedKernel {
  if (!used.includes(shared)) used.push(shared);
  shared.users++;
  return shared;
}

function takeLast(files: EngineFiles): SharedKernel | undefined {
  const waiting = last?.deref();
  last = undefined;
  return waiting?.isOf(files) ? waiting : undefined;
}

/** One user less. An instance without users waits for the next one, in place of any other that does. */
export function unshare(shared: SharedKernel): void {
  shared.users--;
  if (shared.users > 0 || !used.includes(shared)) return;
  abandon(shared);
  last = new WeakRef(shared);
}

/** Let no new stream join the instance. */
export function abandon(shared: SharedKernel): void {
  const index = used.indexOf(shared);
  if (index >= 0) used.splice(index, 1);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
