// Page thread: starts the Worker of the frame path and reports why it did not start.

import { diagnose } from "../assets/response-check.js";
import { briefly, SordinoError } from "../protocol/errors.js";
import type { FrameReply } from "../protocol/messages.js";

interface Callbacks {
  readonly message: (reply: FrameReply) => void;
  /** The Worker did not start. */
  readonly refused: (cause: SordinoError) => void;
  /** The Worker threw after it had started. */
  readonly failed: (cause: SordinoError) => void;
}

/**
 * Start the Worker.
 *
 * script     its URL; undefined: beside the package's own script
 * address    the URL for messages
 * timeoutMs  without "loaded" for this long the Worker counts as refused
 * signal     ends the timer and the listeners
 * returns    undefined where the constructor throws; callbacks.refused is then called later
 */
export function launchWorker(
  script: URL | undefined,
  address: URL,
  timeoutMs: number,
  signal: AbortSignal,
  callbacks: Callbacks,
): Worker | undefined {
  const violations: string[] = [];
  const note = ({ effectiveDirective }: SecurityPolicyViolationEvent): void => void violations.push(effectiveDirective);
  document.addEventListener("securitypolicyviolation", note, { signal });
  const refuse = (cause?: unknown): void => {
    // Browsers dispatch policy violations in a task of their own.
    setTimeout(async () => callbacks.refused(await refusal(address, cause, violations[0])));
  };
  let worker: Worker;
  try {
    worker = script ? new Worker(script) : defaultWorker();
  } catch (cause) {
    refuse(cause);
    return undefined;
  }
  let loaded = false;
  worker.onmessage = ({ data: reply }: MessageEvent<FrameReply>) => {
    loaded ||= reply.type === "loaded";
    callbacks.message(reply);
  };
  worker.onerror = ({ message }) => {
    if (loaded) callbacks.failed(new SordinoError("runtime", `the Worker failed: ${message}`));
    else refuse(message || undefined);
  };
  const late = setTimeout(() => loaded || refuse(`no answer within ${timeoutMs} ms`), timeoutMs);
  signal.addEventListener("abort", () => clearTimeout(late));
  return worker;
}

/** The error of a Worker that did not start, with the cause as far as the browser reports it. */
async function refusal(script: URL, cause: unknown, directive: string | undefined): Promise<SordinoError> {
  const known = directive ? `the policy's ${directive} forbids it` : cause && briefly(cause);
  const reason = known ?? (await diagnose("script", script)) ?? "it did not load";
  return new SordinoError("worklet", `the browser refused the Worker's script ${briefly(script)}: ${reason}`, cause);
}

/** The literal stands in new Worker(new URL(...)) so that bundlers find it. */
function defaultWorker(): Worker {
  return new Worker(new URL("./sordino.worker.js", import.meta.url));
}
