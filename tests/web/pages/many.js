// Many contexts and tracks in one page, one after the other and some at once: none may fail for those before it.

import { SordinoNode, suppressTrack } from "/dist/sordino.js";
import { toneTrack } from "./sounds.js";

const AT_ONCE = 4;
const offline = () => new OfflineAudioContext(1, 480, 48000);

/** One life each. What is dropped is left to the browser. */
const LIVES = {
  "offline, destroyed": async () => {
    const node = await SordinoNode.create(offline());
    node.destroy();
  },
  "offline, rendered, destroyed": async () => {
    const context = offline();
    const node = await SordinoNode.create(context);
    node.connect(context.destination);
    await context.startRendering();
    node.destroy();
  },
  "offline, rendered, dropped": async () => {
    const context = offline();
    const node = await SordinoNode.create(context);
    node.connect(context.destination);
    await context.startRendering();
  },
  "offline, dropped": async () => {
    const context = offline();
    (await SordinoNode.create(context)).connect(context.destination);
  },
  "live, destroyed": async () => {
    const context = new AudioContext();
    const node = await SordinoNode.create(context);
    node.destroy();
    await context.close();
  },
  "live, closed": async () => {
    const context = new AudioContext();
    (await SordinoNode.create(context)).connect(context.destination);
    await context.close();
  },
  "tracks, worklet path": () => track("worklet"),
  "tracks, frame path": () => track("frames"),
};

let source;

async function track(path) {
  source ??= await toneTrack();
  const suppressed = await suppressTrack(source.track, { path, overrunPolicy: "ignore" });
  const { suppressing } = suppressed;
  suppressed.stop();
  if (!suppressing) throw new Error("it does not suppress");
}

/** Returns what went wrong. */
export async function live(kind, count) {
  const errors = [];
  let left = count;
  const one = async () => {
    while (left-- > 0) {
      await LIVES[kind]().catch((error) => errors.push(`${count - left}: ${error.code} ${error.message}`));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return errors;
}

export const kinds = () => Object.keys(LIVES);
