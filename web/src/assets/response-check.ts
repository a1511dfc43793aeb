// Page thread: checks that a response is the wanted file: single-page servers answer every URL with an HTML page.

import { briefly, SordinoError } from "../protocol/errors.js";

/** Kinds of files: name in messages, and magic bytes. */
export const KINDS = {
  wasm: { name: "wasm module", magic: "\0asm" },
  weights: { name: "weight file", magic: "SRDN" },
  script: { name: "script", magic: undefined },
} as const;

const SHOWN_BYTES = 16;

/** The first bytes, for a message. */
function beginning(bytes: ArrayBuffer): string {
  const text = new TextDecoder("latin1").decode(bytes.slice(0, SHOWN_BYTES));
  if (text === "") return "without a byte";
  if (/^[\x20-\x7e\s]*$/.test(text)) return `that begins with ${JSON.stringify(text)}`;
  const first = [...new Uint8Array(bytes, 0, Math.min(4, bytes.byteLength))];
  return `that begins with the bytes ${first.map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
}

function describe(response: Response, bytes: ArrayBuffer): string {
  const type = response.headers.get("content-type") ?? "no content type";
  return `status ${response.status}, ${briefly(type)}, ${bytes.byteLength} bytes, ${beginning(bytes)}`;
}

/** Whether the response is a page or a message instead of a file. */
function isText(response: Response, bytes: ArrayBuffer): boolean {
  const type = response.headers.get("content-type") ?? "";
  const first = new TextDecoder("latin1").decode(bytes.slice(0, SHOWN_BYTES)).trimStart();
  return bytes.byteLength === 0 || first.startsWith("<") || /^text\/html|json/.test(type);
}

/**
 * throws  SordinoError "fetch" where a page of text, or nothing, has come; "wasm" or "weights" where it is another file
 */
export function checkResponse(kind: "wasm" | "weights", url: URL, response: Response, bytes: ArrayBuffer): void {
  const { name, magic } = KINDS[kind];
  if (new TextDecoder("latin1").decode(bytes.slice(0, magic.length)) === magic) return;
  const code = isText(response, bytes) ? "fetch" : kind;
  throw new SordinoError(code, `wanted a ${name} from ${briefly(url)}; got ${describe(response, bytes)}`);
}

/** Fetch a script that the browser refused and describe what is wrong; undefined if nothing is. Never rejects. */
export async function diagnose(kind: "script", url: URL): Promise<string | undefined> {
  try {
    const response = await fetch(url);
    const bytes = await response.arrayBuffer();
    const type = response.headers.get("content-type") ?? "";
    if (response.ok && /javascript|ecmascript/.test(type) && !isText(response, bytes)) return undefined;
    return `wanted a ${KINDS[kind].name}; got ${describe(response, bytes)}`;
  } catch (cause) {
    return briefly(cause);
  }
}
