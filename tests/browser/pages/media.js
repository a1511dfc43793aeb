// Makes small audio and video files with the browser's own encoders.

import * as media from "/node_modules/mediabunny/dist/bundles/mediabunny.mjs";

const FORMATS = { webm: media.WebMOutputFormat, mp4: media.Mp4OutputFormat, mkv: media.MkvOutputFormat };
const FRAMES_PER_SECOND = 10;

/** name: its ending tells the container; sound: address of a recording for an Opus track, or null. base64 */
export async function mux(name, sound) {
  const target = new media.BufferTarget();
  const output = new media.Output({ format: new FORMATS[name.split(".").at(-1)](), target });
  const picture = name.startsWith("sound") ? undefined : addPicture(output);
  const audio = sound && new media.AudioBufferSource({ codec: "opus", bitrate: 128_000 });
  if (audio) output.addAudioTrack(audio);
  await output.start();
  if (picture) await picture();
  if (audio) {
    const bytes = await (await fetch(sound)).arrayBuffer();
    await audio.add(await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(bytes));
  }
  await output.finalize();
  return btoa(Array.from(new Uint8Array(target.buffer), (byte) => String.fromCharCode(byte)).join(""));
}

/** A second of a moving square. */
function addPicture(output) {
  const canvas = new OffscreenCanvas(64, 64);
  const context = canvas.getContext("2d");
  const source = new media.CanvasSource(canvas, { codec: "vp8", bitrate: 100_000 });
  output.addVideoTrack(source);
  return async () => {
    for (let frame = 0; frame < FRAMES_PER_SECOND; frame++) {
      context.fillRect(frame, frame, 8, 8);
      await source.add(frame / FRAMES_PER_SECOND, 1 / FRAMES_PER_SECOND);
    }
  };
}
