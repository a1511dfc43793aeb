// Worker: the frame path. Audio frames of a microphone come as a stream, go through a session and leave as a stream.

import type { FrameReply, FrameRequest, FrameStartup, Reply, Settings } from "../messages.js";
import { HOP, SAMPLE_RATE } from "../params.js";
import { Session } from "../worklet/session.js";

type Frame = AudioData;

interface Scope {
  onmessage: ((event: MessageEvent<FrameRequest>) => void) | null;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as Scope;
const host = { now: () => performance.now(), reply: answer };
/** What a new session begins with: the first start, then the newest one that has run. */
let startup: FrameStartup | undefined;
let startId = 0;
const sent = new Map<number, FrameStartup>();
let settings: Settings | undefined;
let session: Session | undefined;
let rate = 0;
let tellVoice = false;

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

/** A session for frames of this rate; a device of another rate gets a new one. */
function sessionFor(frameRate: number, frameLength: number): Session | undefined {
  if (startup === undefined || settings === undefined) return undefined;
  if (session && rate === frameRate) return session;
  session?.destroy();
  rate = frameRate;
  tell({ type: "rate", rate });
  tell({ type: "direct" });
  session = new Session(host, startup, settings, rate, frameLength);
  session.tellVoice(tellVoice);
  void restart(session, startup);
  return session;
}

/** What ran, and then what was to take its place. */
async function restart(fresh: Session, first: FrameStartup): Promise<void> {
  await fresh.start(first, startId);
  for (const [id, next] of sent) await fresh.start(next, id);
}

/** throws whatever goes wrong; the frame is then still open */
function clean(frame: Frame): Frame {
  const found = sessionFor(frame.sampleRate, frame.numberOfFrames);
  if (found === undefined) return frame;
  const { numberOfFrames, numberOfChannels, sampleRate, timestamp } = frame;
  const inputs = Array.from({ length: numberOfChannels }, () => new Float32Array(numberOfFrames));
  for (const [planeIndex, input] of inputs.entries()) frame.copyTo(input, { planeIndex, format: "f32-planar" });
  const data = new Float32Array(numberOfFrames * numberOfChannels);
  const outputs = inputs.map((_, c) => data.subarray(c * numberOfFrames, (c + 1) * numberOfFrames));
  found.process(outputs, inputs);
  const init = { format: "f32-planar", sampleRate, numberOfFrames, numberOfChannels, timestamp, data } as const;
  const cleaned = new AudioData(init);
  frame.close();
  return cleaned;
}

/** The frame cleaned or, where that fails, as it is; the page is then told, and starts anew. */
function cleanOrPass(frame: Frame): Frame {
  try {
    return clean(frame);
  } catch (cause) {
    giveUp(`the frame path failed: ${cause}`);
    return frame;
  }
}

/** No session any more: frames pass unchanged until the page starts another one. */
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
  for (;;) {
    const { value: frame, done } = await own.read();
    if (done) return;
    if (reader === own) await sink.write(cleanOrPass(frame));
    else frame.close();
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
        sessionFor(SAMPLE_RATE, HOP);
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
tell({ type: "loaded" });
