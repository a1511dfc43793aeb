// The table of muting: in a call, every way to mute, and whatever may happen meanwhile; what the far end hears.

import { Core, Sender } from "./lanes.js";
import { silenceDb } from "./loopback.js";
import { Hms, Jitsi, LiveKit, LiveKitPaused, LiveKitStopped, Twilio } from "./platforms.js";

const LANES = { Core, Sender, LiveKit, LiveKitPaused, LiveKitStopped, Jitsi, Twilio, Hms };

/** Long enough that what an event lets out is heard. */
const HEARD_MS = 200;

/** What there is to say of a lane that is silent. */
async function stateOf({ listener, sender, source, suppressed, context }) {
  const of = (track) => track && [track.readyState, track.enabled, track.muted];
  const { packets } = await listener.level(1000);
  return JSON.stringify([packets, of(sender.track), of(source), of(suppressed?.track), context?.state]);
}

/** One cell. Returns what is wrong, in words; empty where nothing is. */
async function cell(lane, [mute, event, unmute]) {
  await lane.open();
  const { listener } = lane;
  if (event !== "on") await lane.on();
  if (!(await listener.hears())) return `the voice is not heard before: ${await stateOf(lane)}`;
  if (event === "resume" && lane.passesOver) await lane.context.suspend();
  await lane.ways[mute][0]();
  if (!(await listener.isSilent())) return "it is heard though it is muted";
  if (event === "resume") await lane.context.suspend();
  await lane.events[event]();
  const { db } = await listener.level(HEARD_MS);
  if (db > silenceDb) return `heard at ${db} dBFS while it is muted`;
  if (event === "nothing" && !(await listener.playsNothing())) return "something is played while it is muted";
  if (event === "destroy") return "";
  await lane.ways[unmute][1]();
  if (event === "suspend" && !lane.resumesAfter(unmute)) await lane.context.resume();
  if (!(await listener.hears())) return `silent after unmuting: ${await stateOf(lane)}`;
  if (event !== "suspend") return "";
  await lane.context.resume();
  await listener.level(HEARD_MS);
  return (await listener.hears()) ? "" : "silent after resuming";
}

const LONGEST_MS = 60_000;

/** What a cell says, or what was thrown; it may take so long. */
async function said(work) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve(`not done after ${LONGEST_MS} ms`), LONGEST_MS);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    return `${error.stack}`;
  } finally {
    clearTimeout(timer);
  }
}

/** Contexts that are closed hold their memory until they are collected, and a page that has nothing else to do does not. */
const CLOSED_AT_MOST = 20;
let closed = 0;

/** What was found, by lanes and cells, so far. */
const found = {};
let running = 0;

/** All cells of a lane, one after the other. */
async function run(name, { kind, path, cells }) {
  const lane = new LANES[kind](path);
  for (const one of cells) {
    const wrong = await said(() => cell(lane, one));
    found[name][one.join(" ")] = wrong + ((await said(() => lane.close())) ?? "");
    if (++closed % CLOSED_AT_MOST === 0) globalThis.gc?.();
  }
  running--;
}

/** Begin with lanes side by side. wanted: { name: { kind, path, cells: [mute, event, unmute][] } } */
export function begin(wanted) {
  for (const [name, lane] of Object.entries(wanted)) {
    found[name] = {};
    running++;
    void run(name, lane);
  }
}

/** What was found, once all is done; undefined until then. */
export const results = (evenSo) => (running === 0 || evenSo ? found : undefined);
