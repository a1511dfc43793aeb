// Page thread: detects SIMD support, resolves the URLs of the package's files and fetches them.

import { aborted, briefly, SordinoError } from "../protocol/errors.js";
import type { EngineFiles, EngineName } from "../protocol/messages.js";
import { DEFAULT_MODEL, MODELS, type Model } from "./catalogue.js";
import { WEIGHTS } from "./models.js";
import { checkResponse, diagnose, KINDS } from "./response-check.js";

/** Where the files are. What is not named is looked for beside the package's own script. */
export interface AssetUrls {
  /** Folder that holds all files under their usual names; ends in a slash. */
  readonly base?: string | URL;
  readonly worklet?: string | URL;
  readonly relaxed?: string | URL;
  readonly simd128?: string | URL;
  /** The weight file of `model`. Other models of the package are looked for in the base. */
  readonly weights?: string | URL;
  /** The script of the frame path's Worker. */
  readonly worker?: string | URL;
  /**
   * Subresource integrity of what is fetched, e.g. "sha384-..."; several, with spaces between them, where several kernels
   * or models may come into use. The weight file's own checksum is verified always.
   */
  readonly integrity?: { readonly wasm?: string; readonly weights?: string };
}

export interface Assets {
  readonly worklet: URL;
  readonly wasm: URL;
  readonly weights: URL;
  readonly worker: URL;
  readonly integrity: { readonly wasm?: string; readonly weights?: string };
}

/** What the addresses depend on: two of the options that a page gives. */
interface AssetOptions {
  readonly assets?: AssetUrls;
  readonly model?: Model;
}

/*
 * Two modules of one function each, assembled by hand from the binary format; only whether they are valid matters:
 *   magic, version | type section: (v128, ...) -> v128 | function section: 1 of type 0 | code section: one body,
 *   no locals, local.get 0, local.get 1 [, local.get 2], the instruction, end.
 * The instructions: i32x4.dot_i16x8_s (fd ba 01) and i32x4.relaxed_dot_i8x16_i7x16_add_s (fd 93 02).
 */
const SIMD128_PROBE = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x07, 0x01, 0x60, 0x02, 0x7b, 0x7b, 0x01, 0x7b],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x0b, 0x01, 0x09, 0x00, 0x20, 0x00, 0x20, 0x01, 0xfd, 0xba, 0x01, 0x0b],
]);
const RELAXED_PROBE = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x93, 0x02, 0x0b],
]);

function validates(probe: Uint8Array<ArrayBuffer>): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(probe);
}

/**
 * The kernels that run here, the fastest first; empty where there is no WebAssembly SIMD. Harmless on a server.
 */
export function supportedEngines(): EngineName[] {
  const engines: EngineName[] = [];
  if (validates(RELAXED_PROBE)) engines.push("relaxed");
  if (validates(SIMD128_PROBE)) engines.push("simd128");
  return engines;
}

/**
 * wanted  a kernel, or "auto" for the fastest that runs here
 * throws  SordinoError "unsupported"
 */
export function chooseEngine(wanted: EngineName | "auto"): EngineName {
  const engines = supportedEngines();
  const engine = wanted === "auto" ? engines[0] : engines.find((name) => name === wanted);
  if (engine !== undefined) return engine;
  const has = engines.length > 0 ? engines.join(", ") : "no WebAssembly SIMD";
  throw new SordinoError("unsupported", `engine "${wanted}" was wanted; this browser runs ${has}`);
}

/** throws SordinoError "option" */
function addressOf(url: string | URL): URL {
  try {
    return new URL(url, document.baseURI);
  } catch (cause) {
    throw new SordinoError("option", `"${briefly(url)}" is no address of a file`, cause);
  }
}

/** Full addresses of the files of an engine and a model. throws SordinoError "option" */
export function locate(engine: EngineName, model: Model, options: AssetOptions): Assets {
  const urls = options.assets ?? {};
  const given = (url: string | URL | undefined): URL | undefined => (url === undefined ? undefined : addressOf(url));
  const base = given(urls.base);
  const inBase = (name: string): URL | undefined => base && new URL(name, base);
  // The literals stand in new URL(...) so that bundlers find and copy the files.
  const wasm = {
    relaxed: () => new URL("./sordino.relaxed.wasm", import.meta.url),
    simd128: () => new URL("./sordino.simd128.wasm", import.meta.url),
  };
  const weightsOf = (): URL => {
    if (typeof model === "object") return addressOf(model.url);
    if (!MODELS.includes(model)) {
      throw new SordinoError("option", `model is "${model}"; this package has ${MODELS.join(", ")}`);
    }
    const own = model === (options.model ?? DEFAULT_MODEL) ? given(urls.weights) : undefined;
    return own ?? inBase(`models/${model}.sordino`) ?? WEIGHTS[model]();
  };
  return {
    worklet: given(urls.worklet) ?? inBase("sordino.worklet.js") ?? new URL("./sordino.worklet.js", import.meta.url),
    wasm: given(urls[engine]) ?? inBase(`sordino.${engine}.wasm`) ?? wasm[engine](),
    weights: weightsOf(),
    worker: given(urls.worker) ?? inBase("sordino.worker.js") ?? new URL("./sordino.worker.js", import.meta.url),
    integrity: urls.integrity ?? {},
  };
}

/**
 * The bytes at an address.
 *
 * kind       what they are to be
 * signal     ends the transfer; the rejection is then SordinoError "aborted"
 * integrity  what the bytes must hash to
 * rejects    SordinoError "fetch"; where something else has come, as checkResponse throws
 */
async function fetchBytes(
  kind: "wasm" | "weights",
  url: URL,
  signal: AbortSignal | undefined,
  integrity: string | undefined,
): Promise<ArrayBuffer> {
  try {
    const response = await fetch(url, { ...(signal && { signal }), ...(integrity && { integrity }) });
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    const bytes = await response.arrayBuffer();
    checkResponse(kind, url, response, bytes);
    return bytes;
  } catch (cause) {
    if (signal?.aborted) throw aborted(signal);
    if (cause instanceof SordinoError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SordinoError("fetch", `the ${KINDS[kind].name} did not arrive from ${briefly(url)}: ${reason}`, cause);
  }
}

/** The kernel and the weights, side by side. rejects SordinoError */
export async function fetchEngine(assets: Assets, signal?: AbortSignal): Promise<EngineFiles> {
  const [wasm, weights] = await Promise.all([
    fetchBytes("wasm", assets.wasm, signal, assets.integrity.wasm),
    fetchBytes("weights", assets.weights, signal, assets.integrity.weights),
  ]);
  return { wasm, weights, from: { wasm: briefly(assets.wasm), weights: briefly(assets.weights) } };
}

const registered = new WeakMap<BaseAudioContext, Promise<void>>();

/** Load the worklet script, once per context. A failed attempt may be repeated. */
export function addWorklet(context: BaseAudioContext, url: URL): Promise<void> {
  const before = registered.get(context);
  if (before) return before;
  const added = context.audioWorklet.addModule(url).catch(async (cause: unknown) => {
    registered.delete(context);
    const reason = (await diagnose("script", url)) ?? cause;
    throw new SordinoError("worklet", `the browser refused the worklet script ${briefly(url)}: ${reason}`, cause);
  });
  registered.set(context, added);
  return added;
}
