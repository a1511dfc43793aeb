// Page: hands questions to the one worker that measures, and measures what only a page can: the start of a node.

let worker;
let asked = 0;
const waiting = new Map();

function start() {
  worker = new Worker("/pages/worker.js", { type: "module" });
  worker.onmessage = ({ data: { id, value, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error) reject(new Error(error));
    else resolve(value);
  };
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Error(`the worker failed: ${event.message}`));
  };
}

/** Call a function of pages/worker.js in the worker. */
export function ask(name, parameters) {
  if (!worker) start();
  return new Promise((resolve, reject) => {
    waiting.set(++asked, { resolve, reject });
    worker.postMessage({ id: asked, name, parameters });
  });
}

/** Long enough for a hop to come out of a node. */
const FIRST_SAMPLES = 2560;

/** Milliseconds from SordinoNode.create() until the node is ready, and until a first hop has come out of it, in fresh
 *  contexts; files come from the loopback server. */
export async function nodeStart(times) {
  const { SordinoNode } = await import("/dist/sordino.js");
  const figures = { ready: [], firstFrame: [] };
  for (let i = 0; i < times; i++) {
    const context = new OfflineAudioContext(1, FIRST_SAMPLES, 48000);
    const tone = new OscillatorNode(context);
    const begin = performance.now();
    const node = await SordinoNode.create(context);
    figures.ready.push(performance.now() - begin);
    tone.connect(node).connect(context.destination);
    tone.start();
    const [output] = [(await context.startRendering()).getChannelData(0)];
    if (!output.some((x) => x !== 0)) throw new Error("nothing came out of the node");
    figures.firstFrame.push(performance.now() - begin);
    node.destroy();
  }
  return figures;
}
