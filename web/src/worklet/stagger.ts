// Audio thread: assigns each stream of this scope a phase, so that their hops are computed in different render quanta.

import { PHASES } from "./schedule.js";

const streams = new Array<number>(PHASES).fill(0);

/** Assign the first of the phases with the fewest streams, until leavePhase(). A single stream has phase 0. */
export function takePhase(): number {
  const phase = streams.indexOf(Math.min(...streams));
  streams[phase]!++;
  return phase;
}

export function leavePhase(phase: number): void {
  streams[phase]!--;
}
