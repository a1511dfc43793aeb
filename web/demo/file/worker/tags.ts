// File worker: what coded files say besides their sound, as py/sordino/coded.py takes it.

import type { Input, InputAudioTrack } from "mediabunny";
import { INFO_NAMES } from "../../wav/extras.js";

/** Loudspeakers by the number of channels, as FLAC and most coders order them. */
const USUAL_MASKS = [undefined, undefined, undefined, 0x7, 0x33, 0x37, 0x3f, 0x70f, 0x63f];
const TAGS = new Set([
  ...Object.values(INFO_NAMES),
  "time_reference",
  "description",
  "originator",
  "originator_reference",
  "origination_date",
  "origination_time",
]);
/** As FFmpeg calls what Vorbis comments call otherwise. */
const OTHER_NAMES: Readonly<Record<string, string>> = { tracknumber: "track", description: "comment" };
const NOT_OF_THE_RECORDING = ["language"];
/** In the description of a FLAC stream: where the 5 bits lie that hold the bits per sample less one. */
const FLAC_BITS_AT = 20;

function bytesOf(description: AllowSharedBufferSource): Uint8Array {
  return ArrayBuffer.isView(description)
    ? new Uint8Array(description.buffer, description.byteOffset, description.byteLength)
    : new Uint8Array(description);
}

/** Bits per sample of a FLAC stream. */
export function bitsOf(description: AllowSharedBufferSource | undefined): number {
  if (description === undefined) return 16;
  const bytes = bytesOf(description);
  return (((bytes[FLAC_BITS_AT]! & 1) << 4) | (bytes[FLAC_BITS_AT + 1]! >> 4)) + 1;
}

export async function maskOf(track: InputAudioTrack): Promise<number | undefined> {
  return USUAL_MASKS[await track.getNumberOfChannels()];
}

/** Title, artist and so on, by the names that wav.ts knows; nothing where they cannot be read. */
export async function tagsOf(input: Input): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  try {
    const { title, artist, album, genre, comment, trackNumber, raw } = await input.getMetadataTags();
    const named = { title, artist, album, genre, comment, track: trackNumber?.toString() };
    for (const [name, value] of Object.entries(named)) if (value) found[name] = value;
    for (const [key, value] of Object.entries(raw ?? {})) {
      const lower = key.toLowerCase();
      const name = OTHER_NAMES[lower] ?? lower;
      const text = Array.isArray(value) ? value.join(";") : value;
      if (typeof text === "string" && TAGS.has(name) && !NOT_OF_THE_RECORDING.includes(name)) found[name] = text;
    }
  } catch {
    // Damaged tags are no reason to give up the sound.
  }
  return found;
}
