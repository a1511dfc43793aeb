// Page thread: type of what replaces the Worker of the frame path where the kernel cannot run in it.

import type { CustomModel, ModelName } from "../assets/catalogue.js";
import type { Changes } from "../contract/options.js";
import type { StreamState } from "../contract/states.js";
import type { Readout } from "../protocol/messages.js";

/** Processes the same source where the Worker cannot, for example a SuppressedTrack on the worklet path. */
export interface FallbackStream extends EventTarget {
  readonly track: MediaStreamTrack;
  readonly started: Promise<void>;
  readonly state: StreamState;
  readonly suppressing: boolean;
  readonly latency: { readonly samples: number; readonly seconds: number };
  readonly voice: number;
  readonly node: { readonly model: string; reset(): void; read(): Promise<Readout> } | undefined;
  update(changes: Changes): void;
  setModel(model: ModelName | CustomModel): Promise<void>;
  replaceSource(source: MediaStreamTrack): void;
  retry(): void;
  stop(): void;
}
