// Painter: how one moment looks on each of the pictures.

import type { Colours, Moment } from "./messages.js";
import { DARKEST, PALETTE } from "./palette.js";
import { HIGHEST_PITCH_HZ, hzAt, LOWEST_PITCH_HZ, pitchHeight } from "./scale.js";
import type { PaintColumn, Pen } from "./screen.js";

/** The track is dark in both schemes. */
const [VOICE_COLOUR, PITCH_COLOUR] = ["#113b3a", "#efb45a"];
const NO_PIXELS = new Uint32Array(0);

/** A column of a spectrogram: the levels between two bins on a straight line. */
export function spectrogram(which: "before" | "after"): PaintColumn {
  let image: ImageData | undefined;
  let pixels = NO_PIXELS;
  return (pen, moment, columns) => {
    const { width, height } = pen.canvas;
    if (image?.height !== height) {
      image = new ImageData(1, height);
      pixels = new Uint32Array(image.data.buffer);
    }
    const { [which]: levels, binHz } = moment;
    const level = (bin: number): number => levels[bin] ?? 0;
    for (let row = 0; row < height; row++) {
      const bin = hzAt(1 - (row + 0.5) / height) / binHz;
      const below = Math.floor(bin);
      const blend = bin - below;
      pixels[row] = PALETTE[Math.round((1 - blend) * level(below) + blend * level(below + 1))]!;
    }
    for (let i = 1; i <= columns; i++) pen.putImageData(image, width - i, 0);
  };
}

/** A column of the track: the probability of a voice as a shade, the pitch as a dot where there is one. */
export const track: PaintColumn = (pen, moment, columns) => {
  const { width, height } = pen.canvas;
  const left = width - columns;
  pen.fillStyle = DARKEST;
  pen.fillRect(left, 0, columns, height);
  pen.fillStyle = VOICE_COLOUR;
  pen.fillRect(left, height * (1 - moment.voice), columns, height * moment.voice);
  if (moment.pitchHz < LOWEST_PITCH_HZ || moment.pitchHz > HIGHEST_PITCH_HZ) return;
  const thick = Math.max(2, Math.round(height / 22));
  pen.fillStyle = PITCH_COLOUR;
  pen.fillRect(left, Math.round(height * (1 - pitchHeight(moment.pitchHz)) - thick / 2), columns, thick);
};

/** The bars of the gains, and over each a mark for the share of the comb filter. */
export function paintBands(pen: Pen, moment: Pick<Moment, "gains" | "strengths">, colours: Colours): void {
  const { width, height } = pen.canvas;
  const { gains, strengths } = moment;
  const step = width / gains.length;
  const bar = 0.76 * step;
  const thick = Math.max(2, Math.round(height / 36));
  pen.clearRect(0, 0, width, height);
  for (let band = 0; band < gains.length; band++) {
    const left = (band + 0.12) * step;
    const top = height * (1 - gains[band]!);
    pen.fillStyle = colours.line;
    pen.fillRect(left, 0, bar, height);
    pen.fillStyle = colours.voice;
    pen.fillRect(left, top, bar, height - top);
    pen.fillStyle = colours.noise;
    pen.fillRect(left, (height - thick) * (1 - strengths[band]!), bar, thick);
  }
}
