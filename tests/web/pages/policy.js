// What a page's own Content-Security-Policy lets happen.

import { SordinoNode, suppressTrack } from "/dist/sordino.js";
import { levelsOf, logOf, RATE, toneTrack, wait } from "./sounds.js";

/** Whether the policy refuses what it should: code in a string, a script in the page. */
export async function bites() {
  const violations = [];
  document.addEventListener("securitypolicyviolation", ({ blockedURI }) => violations.push(blockedURI));
  const evaluated = await new Promise((resolve) => {
    setTimeout(() => {
      try {
        resolve(new Function("return true")());
      } catch ({ name }) {
        resolve(name);
      }
    });
  });
  const script = document.createElement("script");
  script.textContent = "globalThis.ran = true;";
  document.body.append(script);
  while (violations.length < 2) await wait(20);
  return { evaluated, ran: globalThis.ran === true, violations: violations.sort() };
}

/** A node under the policy: the code of its failure, or "created". */
export async function create() {
  const context = new OfflineAudioContext(1, RATE, RATE);
  return SordinoNode.create(context).then(
    () => "created",
    ({ code }) => code,
  );
}

/** A track under the policy: what it tells, and what is heard. */
export async function clean(options) {
  const { track, close } = await toneTrack();
  const suppressed = await suppressTrack(track, options);
  const log = logOf(suppressed);
  suppressed.retry();
  while (log.length < 2) await wait(20);
  const answer = { log: log.slice(0, 2), suppressing: suppressed.suppressing };
  answer.level = Math.max(...(await levelsOf(suppressed.track, 300)));
  suppressed.stop();
  await close();
  return answer;
}
