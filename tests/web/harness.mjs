// Runs the audio thread's code (web/src/worklet/session.ts) in Node, block by block, without a browser: exact and repeatable.
//
//   node tests/web/harness.mjs FOLDER
//
// FOLDER/request.json holds runs: { rate, quantum, channels, linked, realTime, settings, wasm, weights, actions, samples }.
// Before a run, `beside` other sessions are made, which take their turns; besideSpread: unless those are spread.
// besidePlay: those hear what the run hears, and their read-outs are among its replies.
// lookAhead: frames; the model's own where it is not named.
// Run i reads FOLDER/i.input.f32 [channels][samples] and leaves FOLDER/i.output.f32; replies go to FOLDER/answer.json.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const FOLDER = process.argv[2];
const BALANCED = { bypass: false, postFilterPasses: 0, floorGain: 0 };
const SESSION = new URL("../../web/src/worklet/session.ts", import.meta.url).pathname;

/** Milliseconds of processor time of this process, so that what else the machine does costs nothing here. */
performance.now = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

async function loadSession() {
  const options = { entryPoints: [SESSION], bundle: true, write: false, format: "esm", target: "es2022" };
  const { outputFiles } = await build(options);
  return (await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`)).Session;
}

const bytesOf = async (path) => {
  const file = await readFile(path);
  return file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
};
const filesOf = async ({ wasm, weights }) => ({ wasm: await bytesOf(wasm), weights: await bytesOf(weights) });

/** Channels of one planar file. */
function planar(bytes, channels) {
  const samples = bytes.byteLength / 4 / channels;
  return Array.from({ length: channels }, (_, c) => new Float32Array(bytes, 4 * c * samples, samples));
}

/** Do what a message of the page would do. An engine is awaited, so that its time is exact. */
async function act(session, action) {
  if (action.type === "settings") session.apply({ ...BALANCED, ...action.settings });
  if (action.type === "reset") session.reset();
  if (action.type === "voice") session.tellVoice(action.on);
  if (action.type === "engine") await session.start(await filesOf(action), action.id);
  if (action.type === "read") return session.read();
  return undefined;
}

async function run(Session, request, index) {
  const { rate, quantum, channels = 1, linked = true, realTime = false, settings = {}, actions = [] } = request;
  const inputs = planar(await bytesOf(join(FOLDER, `${index}.input.f32`)), channels);
  const samples = inputs[0].length;
  const outputs = inputs.map(() => new Float32Array(samples));
  const replies = [];
  let at = 0;
  const host = { now: () => performance.now(), reply: (reply) => replies.push({ at, ...reply }) };
  const { mostChannels = channels, spread = false, lookAhead } = request;
  const shape = { channels: mostChannels, linked, realTime, spread, lookAhead };
  const make = (change) => new Session(host, { ...shape, ...change }, { ...BALANCED, ...settings }, rate, quantum);
  const { beside = 0, besideSpread = spread } = request;
  const others = Array.from({ length: beside }, () => make({ spread: besideSpread }));
  const session = make();
  if (request.besidePlay) for (const other of others) await other.start(await filesOf(request), 0);
  if (!request.startLater) await session.start(await filesOf(request), 0);
  let size = quantum;
  let heard = channels;
  for (const pending = [...actions]; at + size <= samples; at += size) {
    while (pending.length > 0 && pending[0].at <= at) {
      const action = pending.shift();
      if (action.type === "quantum") size = action.quantum;
      else if (action.type === "channels") heard = action.channels;
      else {
        const readout = await act(session, action);
        if (readout) replies.push({ at, type: "readout", readout });
      }
    }
    const block = (channel) => channel.subarray(at, at + size);
    const played = outputs.slice(0, Math.max(1, heard)).map(block);
    session.process(played, inputs.slice(0, heard).map(block));
    if (request.besidePlay) {
      const unheard = played.map(({ length }) => new Float32Array(length));
      for (const other of others) other.process(unheard, inputs.slice(0, heard).map(block));
    }
  }
  if (request.besidePlay) {
    for (const one of [session, ...others]) replies.push({ at, type: "cost", readout: one.read() });
  }
  for (const one of [session, ...others]) one.destroy();
  const flat = new Float32Array(channels * samples);
  for (const [c, output] of outputs.entries()) flat.set(output, c * samples);
  await writeFile(join(FOLDER, `${index}.output.f32`), new Uint8Array(flat.buffer));
  return { replies, played: at };
}

const Session = await loadSession();
const requests = JSON.parse(await readFile(join(FOLDER, "request.json"), "utf8"));
const answers = [];
for (const [index, request] of requests.entries()) answers.push(await run(Session, request, index));
await writeFile(join(FOLDER, "answer.json"), JSON.stringify(answers));
