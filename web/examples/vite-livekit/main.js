// Vite + LiveKit: a local audio track with Sordino as its processor.

import { createLocalAudioTrack } from "livekit-client";
import { SordinoProcessor } from "sordino/livekit";

const status = document.querySelector("[role=status]");

document.querySelector("button").addEventListener("click", async () => {
  const audioContext = new AudioContext();
  const track = await createLocalAudioTrack({
    echoCancellation: true,
    noiseSuppression: false,
    voiceIsolation: false,
    autoGainControl: false,
  });
  track.setAudioContext(audioContext);
  const processor = new SordinoProcessor();
  await track.setProcessor(processor);
  await processor.suppressed.started;
  document.querySelector("audio").srcObject = new MediaStream([processor.processedTrack]);
  status.textContent = processor.suppressed.suppressing ? "Suppressing noise" : "Unchanged voice";
  // await room.localParticipant.publishTrack(track);
  Object.assign(globalThis, { track, processor });
});
