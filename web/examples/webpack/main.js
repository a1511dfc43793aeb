// webpack + plain WebRTC: the sender of a peer connection is cleaned without renegotiation.

import { openMicrophone } from "sordino";
import { suppressSender } from "sordino/webrtc";

const status = document.querySelector("[role=status]");

/** Two peers on this page. Returns the sender and the stream that arrives. */
async function call(track) {
  const near = new RTCPeerConnection();
  const far = new RTCPeerConnection();
  near.onicecandidate = ({ candidate }) => candidate && far.addIceCandidate(candidate);
  far.onicecandidate = ({ candidate }) => candidate && near.addIceCandidate(candidate);
  const arrived = new Promise((resolve) => {
    far.ontrack = ({ streams }) => resolve(streams[0]);
  });
  const sender = near.addTrack(track, new MediaStream([track]));
  await near.setLocalDescription();
  await far.setRemoteDescription(near.localDescription);
  await far.setLocalDescription();
  await near.setRemoteDescription(far.localDescription);
  return { sender, stream: await arrived };
}

document.querySelector("button").addEventListener("click", async () => {
  const { sender, stream } = await call(await openMicrophone());
  const { suppressed } = await suppressSender(sender);
  document.querySelector("audio").srcObject = stream;
  status.textContent = suppressed.suppressing ? "Suppressing noise" : "Unchanged voice";
});
