// Page thread and file worker: what WAV files say besides their samples.

/** Samples of the result. */
export type Subtype = "PCM_16" | "PCM_24" | "PCM_32" | "FLOAT" | "DOUBLE";

/** What a WAV file says besides its format. */
export interface WavExtras {
  /** Which loudspeakers the channels are for; undefined: the source does not say. */
  mask: number | undefined;
  /** Title, artist and so on, by names in small letters. */
  readonly tags: Record<string, string>;
  /** What goes into the result unchanged: broadcast extension, cue points. */
  readonly chunks: { readonly name: string; readonly content: Uint8Array<ArrayBuffer> }[];
}

/** Tags by the chunks of a LIST INFO. */
export const INFO_NAMES: Readonly<Record<string, string>> = {
  INAM: "title",
  IART: "artist",
  IPRD: "album",
  ICRD: "date",
  IGNR: "genre",
  ICMT: "comment",
  IPRT: "track",
  ICOP: "copyright",
  ILNG: "language",
  IENG: "engineer",
  IKEY: "keywords",
  ISBJ: "subject",
  ISRC: "source",
};
