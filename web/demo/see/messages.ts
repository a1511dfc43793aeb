// What the page tells the painter, and what the painter answers: types only.

export const SCREENS = ["before", "after", "track", "bands"] as const;
export type ScreenName = (typeof SCREENS)[number];

/** One look at the sound: levels of the bins as bytes (QUIET_DB to LOUD_DB), and the network's view of the same moment. */
export interface Moment {
  /** The audio's own clock. */
  readonly timeS: number;
  readonly before: Uint8Array<ArrayBuffer>;
  readonly after: Uint8Array<ArrayBuffer>;
  /** 0 where there is none. */
  readonly pitchHz: number;
  readonly voice: number;
  readonly gains: Float32Array;
  readonly strengths: Float32Array;
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
  | { readonly type: "colours"; readonly colours: Colours; readonly binHz: number }
  | { readonly type: "moment"; readonly moment: Moment }
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
