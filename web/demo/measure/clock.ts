// Worker and page: how fine this browser's clock is, and how many frames have to be timed together because of that.

/** Share of a frame's time that the clock's tick may be wrong by. */
const TICK_PER_FRAME_MS = 0.01;
const TICKS = 8;

/** The smallest step of performance.now(), ms: 0.005 to 1, depending on the browser. */
export function tickMs(): number {
  let smallest = Number.POSITIVE_INFINITY;
  let last = performance.now();
  for (let tick = 0; tick < TICKS; ) {
    const now = performance.now();
    if (now === last) continue;
    smallest = Math.min(smallest, now - last);
    last = now;
    tick++;
  }
  return smallest;
}

/** Frames to time in one go, so that the tick hardly shows in their mean. */
export function batchFor(tick: number): number {
  return Math.max(1, Math.round(tick / TICK_PER_FRAME_MS));
}
