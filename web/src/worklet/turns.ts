// Audio thread: the streams of this scope take turns, so that the work of their hops falls into different render quanta.

import { TURNS } from "./schedule.js";

const streams = new Array<number>(TURNS).fill(0);

/** The first of the turns that fewest streams have, until leaveTurn(). A stream alone has turn 0. */
export function takeTurn(): number {
  const turn = streams.indexOf(Math.min(...streams));
  streams[turn]!++;
  return turn;
}

export function leaveTurn(turn: number): void {
  streams[turn]!--;
}
