// Audio thread: assigns each stream of this scope a phase, so that their hops are computed in different render quanta.

import { PHASES } from "./schedule.js";

const streams = new Array<number>(PHASES).fill(0);

/** The first of the phases that fewest streams have, until leavePhase(). A stream alone has phase 0. */
export function takePhase(): number {
  const phase = streams.indexOf(Math.min(...streams));
  streams[phase]!++;
  return phase;
}

export function leavePhase(phase: number): void {
  streams[phase]!--;
}
