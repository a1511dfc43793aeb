// Senders and the platforms' adapters, called as the platforms call them.

import { SordinoPlugin } from "/dist/adapters/100ms.js";
import { SordinoEffect } from "/dist/adapters/jitsi.js";
import { SordinoProcessor } from "/dist/adapters/livekit.js";
import { SordinoAudioProcessor } from "/dist/adapters/twilio.js";
import { suppressSender } from "/dist/adapters/webrtc.js";
import { isHeard, levelsOf, logOf, RATE, toneTrack, wait } from "./sounds.js";

/** A sender whose context stands still sends the source itself, and the cleaned track again afterwards. */
export async function senderAndSuspension() {
  const { track, close } = await toneTrack();
  const connection = new RTCPeerConnection();
  const sender = connection.addTrack(track);
  const cleaned = await suppressSender(sender);
  const sends = () => (sender.track === track ? "source" : sender.track === cleaned.suppressed.track ? "cleaned" : "?");
  const order = [sends()];
  const becomes = async (wanted) => {
    for (let i = 0; i < 200 && sends() !== wanted; i++) await wait(50);
    order.push(sends());
  };
  await cleaned.suppressed.context.suspend();
  await becomes("source");
  await cleaned.suppressed.context.resume();
  await becomes("cleaned");
  await cleaned.stop();
  order.push(sends());
  connection.close();
  await close();
  return order;
}

/** Each platform's calls in the order in which it makes them. */
export async function contracts() {
  const { track, close } = await toneTrack(2);
  const audioContext = new AudioContext();
  const livekit = new SordinoProcessor();
  await livekit.init({ kind: "audio", track, audioContext });
  const before = livekit.processedTrack;
  await livekit.restart({ kind: "audio", track });
  await livekit.suppressed.started;
  const livekitAnswer = [livekit.name, livekit.processedTrack === before, livekit.suppressed.suppressing];
  await livekit.destroy();

  const jitsi = new SordinoEffect();
  const stream = new MediaStream([track]);
  const started = jitsi.startEffect(stream);
  const atOnce = await isHeard(started.getAudioTracks()[0]);
  await jitsi.suppressed.started;
  const jitsiAnswer = [
    jitsi.isEnabled({ isAudioTrack: () => true }),
    started instanceof MediaStream,
    jitsi.suppressed.suppressing,
  ];
  jitsi.stopEffect();

  const twilio = new SordinoAudioProcessor();
  const processed = await twilio.createProcessedStream(stream);
  await twilio.suppressed.started;
  const twilioAnswer = [processed !== stream, twilio.suppressed.suppressing];
  await twilio.destroyProcessedStream(processed);
  twilioAnswer.push(processed.getAudioTracks()[0].readyState);

  const hms = new SordinoPlugin();
  const source = audioContext.createMediaStreamSource(stream);
  const node = await hms.processAudioTrack(audioContext, source);
  await new Promise((resolve) => hms.addEventListener("ready", resolve));
  const works = node instanceof AudioNode && hms.node.suppressing;
  const hmsAnswer = [hms.getName(), hms.getPluginType(), hms.checkSupport(), works];
  hms.stop();
  await Promise.all([audioContext.close(), close()]);
  return { livekit: livekitAnswer, jitsi: jitsiAnswer, atOnce, twilio: twilioAnswer, hms: hmsAnswer };
}

/** 100ms's second plugin, behind another one that it connects to what ours gives back; the weights come late. */
let late;
export async function startPluginLate() {
  const { track, close } = await toneTrack();
  const context = new AudioContext({ sampleRate: RATE });
  const model = { name: "late", url: "/late.sordino" };
  const plugin = new SordinoPlugin({ model, retryMs: 300, overrunPolicy: "ignore", attenuationLimitDb: 6 });
  const log = logOf(plugin);
  const before = new GainNode(context);
  context.createMediaStreamSource(new MediaStream([track])).connect(before);
  const after = await plugin.processAudioTrack(context, before);
  before.connect(after);
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  after.connect(destination);
  const heard = destination.stream.getAudioTracks()[0];
  await isHeard(heard);
  while (log.length < 2) await wait(20);
  late = { plugin, log, heard, end: () => Promise.all([context.close(), close()]) };
  return { log, levels: await levelsOf(heard, 300), node: plugin.node !== undefined };
}

export async function finishPluginLate() {
  const { plugin, log, heard, end } = late;
  for (let i = 0; i < 100 && !plugin.node?.suppressing; i++) await wait(100);
  await wait(1000);
  const answer = { log, suppressing: plugin.node.suppressing, levels: await levelsOf(heard, 300) };
  plugin.stop();
  answer.stopped = Math.max(...(await levelsOf(heard, 100)));
  await end();
  return answer;
}
