// Worker: entry of the frame path: reads AudioData from a stream, processes it in a session, writes it to a stream.

import type { FrameReply, FrameRequest, FrameStartup, Reply, Settings } from "../protocol/messages.js";
import { SAMPLE_RATE } from "../protocol/params.js";
import { Session } from "../worklet/session.js";
import { type Block, Blocks } from "./blocks.js";

type Frame = AudioData;

interface Scope {
  onmessage: ((event: MessageEvent<FrameRequest>) => void) | null;
  postMessage(message: unknown): void;
}

/** Rates that a session supports; others are converted. */
const LOWEST_RATE = 8_000;
const HIGHEST_RATE = 192_000;
/** Seconds after which another rate counts as the source's new one. */
const STAYS_S = 1;
const HEARTBEAT_MS = 200;

const scope = globalThis as unknown as Scope;
const host = { now: () => performance.now(), reply: answer };
/** What a new session begins with: the first start, then the newest one that has run. */
let startup: FrameStartup | undefined;
let startId = 0;
const sent = new Map<number, FrameStartup>();
let settings: Settings | undefined;
let session: Session | undefined;
let blocks = new Blocks(SAMPLE_RATE);
/** Seconds of sound of other rates than that of the session, without a break. */
let foreign = 0;
/** No frame of the current source has arrived yet. */
let untouched = true;
let tellVoice = false;
/** Since the last heartbeat: whether frames came, and whether any passed by no session. */
let arrived = false;
let passed = false;

function answer(reply: Reply): void {
  if (reply.type === "ready" && sent.has(reply.id)) {
    startup = sent.get(reply.id);
    startId = reply.id;
  }
  if (reply.type === "ready" || reply.type === "failure") sent.delete(reply.id ?? startId);
  tell(reply);
}

function tell(reply: FrameReply): void {
  scope.postMessage(reply);
}

/** A session for sound of this rate, and the blocks that it takes. */
function openSession(newRate: number): Promise<void> {
  session?.destroy();
  blocks = new Blocks(newRate);
  foreign = 0;
  tell({ type: "rate", rate: newRate });
  tell({ type: "direct" });
  session = new Session(host, startup!, settings!, newRate, blocks.length);
  session.tellVoice(tellVoice);
  return restart(session, startup!);
}

/** Restart the running engine, then those sent after it. */
async function restart(fresh: Session, first: FrameStartup): Promise<void> {
  await fresh.start(first, startId);
  for (const [id, next] of sent) await fresh.start(next, id);
}

/** The rate of a session for such frames. */
function sessionRate(rate: number): number {
  return Number.isInteger(rate) && rate >= LOWEST_RATE && rate <= HIGHEST_RATE ? rate : SAMPLE_RATE;
}

/**
 * A rate that has come to stay gets a session of its own, which is waited for; until then, and where rates take turns,
 * sound is converted. Returns what of the old session is left.
 */
async function adaptTo({ sampleRate, numberOfFrames }: Frame): Promise<Frame[]> {
  const wanted = sessionRate(sampleRate);
  if (session === undefined || blocks.rate === wanted) {
    foreign = 0;
    untouched = false;
    return [];
  }
  foreign += numberOfFrames / sampleRate;
  if (!untouched && foreign < STAYS_S) return [];
  untouched = false;
  const rest = blocks.rest();
  const left = rest ? [frameOf(rest, blocks.rate)] : [];
  await openSession(wanted);
  return left;
}

/** samples [channels][any number] */
function frameOf({ samples, timestamp }: Block, sampleRate: number): Frame {
  const numberOfChannels = samples.length;
  const numberOfFrames = samples[0]!.length;
  const data = new Float32Array(numberOfFrames * numberOfChannels);
  for (const [c, channel] of samples.entries()) data.set(channel, c * numberOfFrames);
  return new AudioData({ format: "f32-planar", sampleRate, numberOfFrames, numberOfChannels, timestamp, data });
}

function planesOf(frame: Frame): Float32Array<ArrayBuffer>[] {
  const planes = Array.from({ length: frame.numberOfChannels }, () => new Float32Array(frame.numberOfFrames));
  for (const [planeIndex, plane] of planes.entries()) frame.copyTo(plane, { planeIndex, format: "f32-planar" });
  return planes;
}

/** throws whatever goes wrong; the frame is then still open */
function clean(frame: Frame, found: Session): Frame[] {
  const full = blocks.push(planesOf(frame), frame.sampleRate, frame.timestamp);
  const cleaned = full.map(({ samples, timestamp }) => {
    const outputs = samples.map(({ length }) => new Float32Array(length));
    found.process(outputs, samples);
    return frameOf({ samples: outputs, timestamp }, blocks.rate);
  });
  frame.close();
  return cleaned;
}

/** The frame cleaned, in blocks, or, where that fails, as it is; the page is then told, and starts anew. */
async function cleanOrPass(frame: Frame): Promise<Frame[]> {
  arrived = true;
  try {
    const left = await adaptTo(frame);
    if (session) return [...left, ...clean(frame, session)];
    passed = true;
    return [...left, frame];
  } catch (cause) {
    const rest = blocks.rest();
    giveUp(`the frame path failed: ${cause}`);
    return rest ? [frameOf(rest, blocks.rate), frame] : [frame];
  }
}

/** Drop the session: frames pass unchanged until the page starts another one. */
function giveUp(message: string): void {
  try {
    session?.destroy();
  } catch {
    // It is broken: what it held stays behind.
  }
  session = undefined;
  startup = undefined;
  tell({ type: "direct" });
  for (const id of new Set([startId, ...sent.keys()])) {
    answer({ type: "failure", id, failure: { code: "runtime", message } });
  }
}

let reader: ReadableStreamDefaultReader<Frame> | undefined;

/** Until the source or the sink ends, or another source takes over. */
async function pump(readable: ReadableStream<Frame>, sink: WritableStreamDefaultWriter<Frame>): Promise<void> {
  void reader?.cancel().catch(() => undefined);
  const own = readable.getReader();
  reader = own;
  untouched = true;
  for (;;) {
    const { value: frame, done } = await own.read();
    if (done) return;
    if (reader !== own) frame.close();
    else for (const ready of await cleanOrPass(frame)) await sink.write(ready);
  }
}

let writer: WritableStreamDefaultWriter<Frame> | undefined;

scope.onmessage = ({ data: request }) => {
  switch (request.type) {
    case "source":
      writer ??= request.writable?.getWriter() as WritableStreamDefaultWriter<Frame> | undefined;
      if (writer) void pump(request.readable as ReadableStream<Frame>, writer).catch(() => undefined);
      break;
    case "start":
      settings ??= request.startup.settings;
      if (session) {
        sent.set(request.id, request.startup);
        void session.start(request.startup, request.id);
      } else {
        startup = request.startup;
        startId = request.id;
        untouched = true;
        void openSession(blocks.rate);
      }
      break;
    case "settings":
      settings = request.settings;
      session?.apply(settings);
      break;
    case "voice":
      tellVoice = request.on;
      session?.tellVoice(tellVoice);
      break;
    case "reset":
      session?.reset();
      break;
    case "read":
      if (session) tell({ type: "readout", readout: session.read() });
      break;
    case "destroy":
      session?.destroy();
      break;
  }
};

/** Sessions send heartbeats for the frames they process; these are for all others. */
setInterval(() => {
  if (!arrived || passed) tell({ type: "heartbeat", arrived, silent: !arrived, cleaned: false });
  arrived = passed = false;
}, HEARTBEAT_MS);
tell({ type: "loaded" });
