// The table of muting: in a call, every way to mute, and whatever may happen meanwhile; what the far end hears.

import * as lanes from "./lanes.js";
import { silenceDb } from "./loopback.js";

/** Long enough that what an event lets out is heard. */
const HEARD_MS = 200;

/** One cell. Returns what is wrong, in words; empty where nothing is. */
async function cell(lane, [mute, event, unmute]) {
  await lane.open();
  const { listener } = lane;
  if (event !== "on") await lane.on();
  if (!(await listener.hears())) return "the voice is not heard before";
  if (event === "resume" && lane.passesOver) await lane.context.suspend();
  await lane.ways[mute][0]();
  if (!(await listener.isSilent())) return "it is heard though it is muted";
  if (event === "resume") await lane.context.suspend();
  await lane.events[event]();
  const level = await listener.level(HEARD_MS);
  if (!(level <= silenceDb)) return `heard at ${level} dBFS while it is muted`;
  if (event === "destroy") return "";
  await lane.ways[unmute][1]();
  if (!(await listener.hears())) return "silent after unmuting";
  if (event !== "suspend") return "";
  await lane.context.resume();
  await listener.level(HEARD_MS);
  return (await listener.hears()) ? "" : "silent after resuming";
}

/** All cells of a lane, one after the other. wanted: { kind, path, cells: [mute, event, unmute][] } */
async function run({ kind, path, cells }) {
  const lane = new lanes[kind](path);
  const found = {};
  for (const one of cells) {
    try {
      found[one.join(" ")] = await cell(lane, one);
    } catch (error) {
      found[one.join(" ")] = `${error}\n${error.stack}`;
    }
    await lane.close();
  }
  return found;
}

/** Lanes side by side. */
export const table = (wanted) => Promise.all(wanted.map(run));
