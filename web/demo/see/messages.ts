// What the page tells the painter, and what the painter answers: types only.

export const SCREENS = ["before", "after", "track", "bands"] as const;
export type ScreenName = (typeof SCREENS)[number];

/** What the network makes of a moment. */
export interface Insight {
  /** 0 where there is none. */
  readonly pitchHz: number;
  readonly voice: number;
  readonly gains: Float32Array;
  readonly strengths: Float32Array;
}

/** The sound since the last message, and the window before it; both signals end with the same sample. */
export interface Sound extends Insight {
  /** The audio's own clock at the end. */
  readonly timeS: number;
  readonly sampleRate: number;
  readonly before: Float32Array<ArrayBuffer>;
  readonly after: Float32Array<ArrayBuffer>;
}

/** One column of the pictures: levels of the bins as bytes, QUIET_DB to LOUD_DB. */
export interface Moment extends Insight {
  readonly timeS: number;
  /** From one bin to the next; there may be none for the highest frequencies of the pictures. */
  readonly binHz: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** CSS colours of the theme. */
export interface Colours {
  readonly line: string;
  readonly voice: string;
  readonly noise: string;
}

export type PainterRequest =
  | { readonly type: "canvas"; readonly screen: ScreenName; readonly canvas: OffscreenCanvas | HTMLCanvasElement }
  | { readonly type: "size"; readonly screen: ScreenName; readonly width: number; readonly height: number }
  | { readonly type: "colours"; readonly colours: Colours }
  | { readonly type: "sound"; readonly sound: Sound }
  | { readonly type: "clear" }
  /** What is at a place of the pictures? Both from 0 to 1, from the left and from the bottom. */
  | { readonly type: "look"; readonly across: number; readonly up: number };

/** Answers a look; undefined where nothing has been drawn yet. */
export interface Seen {
  readonly agoS: number;
  readonly hz: number;
  readonly beforeDb: number;
  readonly afterDb: number;
  readonly pitchHz: number;
  readonly voice: number;
}

export interface PainterAnswer {
  readonly type: "seen";
  readonly seen: Seen | undefined;
}
