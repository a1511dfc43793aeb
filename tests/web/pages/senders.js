// Senders in situations that no cell of the table has: switched on twice, a Worker that dies, handles of old.

import { suppressSender } from "/dist/adapters/webrtc.js";
import { openMicrophone, suppressTrack } from "/dist/sordino.js";
import { call } from "./loopback.js";
import { wait } from "./sounds.js";

const KERNEL = { engine: "simd128", assets: { simd128: "/built/faulty.wasm" }, overrunPolicy: "ignore" };

/** One microphone in one call, or in several. */
class Phone {
  constructor(path) {
    this.path = path;
    this.wrong = [];
    this.calls = [];
  }

  async open() {
    this.microphone = await openMicrophone();
    return this.call();
  }

  async call() {
    const made = await call(this.microphone);
    this.calls.push(made);
    if (!(await made.listener.hears())) this.wrong.push("not heard at the beginning");
    return made;
  }

  suppress({ sender }) {
    return suppressSender(sender, { ...KERNEL, path: this.path });
  }

  async hears({ listener, sender }, when) {
    const of = sender.track && [sender.track.readyState, sender.track.enabled];
    if (!(await listener.hears())) this.wrong.push(`silent ${when}: ${of}`);
  }

  /** Whether nothing is heard from when what was under way has arrived. */
  async isSilent({ listener }, when) {
    if (!(await listener.isSilent())) this.wrong.push(`heard ${when}`);
    const { db } = await listener.level(300);
    if (db > -100) this.wrong.push(`heard at ${db} dBFS ${when}`);
  }

  check(holds, what) {
    if (!holds) this.wrong.push(what);
  }

  close() {
    this.microphone.stop();
    for (const one of this.calls) one.close();
    return this.wrong;
  }
}

/** The Workers that are started meanwhile. */
async function workersOf(work) {
  const [workers, Real] = [[], globalThis.Worker];
  globalThis.Worker = class extends Real {
    constructor(...from) {
      super(...from);
      workers.push(this);
    }
  };
  try {
    return [workers, await work()];
  } finally {
    globalThis.Worker = Real;
  }
}

/** The audio thread, or the Worker, is not called any more. */
async function stall({ context }, workers) {
  if (!context) return workers[0].terminate();
  Object.defineProperty(context, "state", { get: () => "running", configurable: true });
  await AudioContext.prototype.suspend.call(context);
}

/** Alone, for it stops a Worker. */
async function standingStill(phone) {
  const one = await phone.open();
  const [workers, sending] = await workersOf(() => phone.suppress(one));
  await stall(sending.suppressed, workers);
  await wait(2000);
  await phone.hears(one, "while it stands still");
  one.sender.track.enabled = false;
  await phone.isSilent(one, "while muted");
  if (workers.length > 0) while (sending.suppressed.frames) await wait(100);
  await phone.isSilent(one, "while muted, later");
  one.sender.track.enabled = true;
  await phone.hears(one, "after unmuting");
  await sending.stop();
}

const SITUATIONS = {
  /** As React does it in its strict mode. */
  async "switched on, off and on at once"(phone) {
    const one = await phone.open();
    void phone.suppress(one).then((first) => first.stop());
    const second = await phone.suppress(one);
    await wait(500);
    phone.check(one.sender.track === second.suppressed.track, "the cleaned track is not sent");
    one.sender.track.enabled = false;
    await phone.isSilent(one, "while muted");
    one.sender.track.enabled = true;
    await phone.hears(one, "after unmuting");
    await second.stop();
    phone.check(one.sender.track === phone.microphone, "the microphone is not given back");
  },

  async "switched on twice, the first one off while muted"(phone) {
    const one = await phone.open();
    const first = await phone.suppress(one);
    const second = await phone.suppress(one);
    one.sender.track.enabled = false;
    await first.stop();
    await phone.isSilent(one, "while muted");
    one.sender.track.enabled = true;
    await phone.hears(one, "after unmuting");
    await second.stop();
    phone.check(one.sender.track === phone.microphone, "the microphone is not given back");
  },

  async "paused while the context is suspended"(phone) {
    const one = await phone.open();
    const sending = await phone.suppress(one);
    await sending.suppressed.context?.suspend();
    await wait(100);
    const { track } = one.sender;
    await one.sender.replaceTrack(null);
    await sending.suppressed.context?.resume();
    await phone.isSilent(one, "while paused");
    await one.sender.replaceTrack(track);
    await phone.hears(one, "afterwards");
    phone.check(one.sender.track === sending.suppressed.track, "the cleaned track is not sent");
  },

  async "paused before it has started"(phone) {
    const one = await phone.open();
    const starting = phone.suppress(one);
    await one.sender.replaceTrack(null);
    const sending = await starting;
    await phone.isSilent(one, "while paused");
    await one.sender.replaceTrack(phone.microphone);
    await phone.hears(one, "afterwards");
    phone.check(one.sender.track === sending.suppressed.track, "the cleaned track is not sent");
  },

  async "a handle of old, on again meanwhile"(phone) {
    const one = await phone.open();
    const first = await phone.suppress(one);
    const old = one.sender.track;
    await first.stop();
    await phone.suppress(one);
    old.enabled = false;
    await phone.isSilent(one, "muted by the handle of old");
    old.enabled = true;
    await phone.hears(one, "after unmuting so");
    one.sender.track.enabled = false;
    old.enabled = true;
    await phone.isSilent(one, "muted by its own, unmuted by the handle of old");
    one.sender.track.enabled = true;
    await phone.hears(one, "after unmuting");
  },

  async "two calls, one of them off and muted by its handle of old"(phone) {
    const one = await phone.open();
    const other = await phone.call();
    const first = await phone.suppress(one);
    await phone.suppress(other);
    const old = one.sender.track;
    await first.stop();
    old.enabled = false;
    await phone.isSilent(one, "while muted");
    old.enabled = true;
    await phone.hears(one, "after unmuting");
    await phone.hears(other, "after unmuting, in the other call");
  },

  async "a context that the page closes"(phone) {
    const one = await phone.open();
    const suppressed = await suppressTrack(phone.microphone, KERNEL);
    const states = [];
    suppressed.addEventListener("state", ({ detail }) => states.push(detail.state));
    await suppressed.context.close();
    await wait(100);
    phone.check(suppressed.state === "ended" && states.at(-1) === "ended", `it says ${suppressed.state}, ${states}`);
    await phone.hears(one, "by the microphone itself");
  },
};

async function said(run, path) {
  const phone = new Phone(path);
  await run(phone).catch((error) => phone.wrong.push(error.stack));
  return phone.close();
}

/** { situation: what is wrong }. */
export async function results(path) {
  const first = await said(standingStill, path);
  const found = Object.entries(SITUATIONS).map(async ([name, run]) => [name, await said(run, path)]);
  return { ...Object.fromEntries(await Promise.all(found)), "what computes it stands still": first };
}
