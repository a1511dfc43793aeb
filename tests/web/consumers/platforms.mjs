// The platforms' own classes for one local track, without their servers: out/platforms/{livekit,twilio,hms}.js.
//
//   node platforms.mjs
//
// Twilio's and 100ms's are no exports of their packages: Twilio's are files of it, 100ms's get an export more.

import { readFile } from "node:fs/promises";
import { build } from "esbuild";

const TWILIO = "./node_modules/@twilio/voice-sdk/es5/twilio";
const ENTRIES = {
  livekit: 'export { LocalAudioTrack } from "livekit-client";',
  twilio: `export { default as AudioHelper } from "${TWILIO}/audiohelper.js";
    export { AudioProcessorEventObserver } from "${TWILIO}/audioprocessoreventobserver.js";
    export { default as PeerConnection } from "${TWILIO}/rtc/peerconnection.js";`,
  hms: 'export { EventBus, HMSLocalAudioTrack, HMSLocalStream } from "@100mslive/hms-video-store";',
};

/** Names of classes in the built file, which it does not export, by a word that stands in each. */
const TAGS = { HMSLocalAudioTrack: "[HMSLocalAudioTrack]", HMSLocalStream: "[HMSLocalStream]" };
const moreExports = {
  name: "more-exports",
  setup: (own) =>
    own.onLoad({ filter: /hms-video-store\/dist\/index\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const names = Object.entries(TAGS).map(([name, tag]) => {
        const before = text.slice(0, text.indexOf(`"${tag}"`));
        return `${[...before.matchAll(/(\w+)=class[ {]/g)].at(-1)[1]} as ${name}`;
      });
      return { contents: `${text}\nexport { ${names.join(", ")} };`, loader: "js" };
    }),
};

for (const [name, contents] of Object.entries(ENTRIES)) {
  await build({
    stdin: { contents, resolveDir: ".", sourcefile: `${name}.js` },
    outfile: `out/platforms/${name}.js`,
    bundle: true,
    format: "esm",
    target: "es2022",
    define: { global: "globalThis", "process.env.NODE_ENV": '"production"' },
    plugins: [moreExports],
    logLevel: "error",
  });
}
