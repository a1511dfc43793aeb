// Audio thread: builds the read-out that the page asks for.

import type { Readout } from "../protocol/messages.js";
import { BANDS } from "../protocol/params.js";
import type { Engine } from "./engine.js";
import type { Meter } from "./meter.js";
import type { OverrunMonitor } from "./overrun-monitor.js";

/** engine: the current one; undefined: none runs. The meter's levels start anew. */
export function readoutOf(engine: Engine | undefined, meter: Meter, monitor: OverrunMonitor): Readout {
  const { inputDb, outputDb } = meter.read();
  const { frames, meanMs, maxMs, overruns } = monitor;
  return {
    inputDb,
    outputDb,
    voice: engine?.voice ?? 0,
    pitchPeriod: engine?.pitchPeriod ?? 0,
    pitchCorrelation: engine?.pitchCorrelation ?? 0,
    gains: engine?.gains.slice() ?? new Float32Array(BANDS).fill(1),
    strengths: engine?.strengths.slice() ?? new Float32Array(BANDS),
    stats: { frames, meanFrameMs: meanMs, maxFrameMs: maxMs, overruns, memoryBytes: engine?.memoryBytes ?? 0 },
  };
}
