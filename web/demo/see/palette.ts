// Painter: from quiet to loud in 256 colours.

const STOPS = [
  [8, 13, 18],
  [19, 42, 66],
  [22, 104, 114],
  [226, 166, 72],
  [255, 246, 222],
] as const;
export const SHADES = 256;
export const DARKEST = `rgb(${STOPS[0].join()})`;

/** SHADES colours between the stops, as the four bytes of a pixel in one number of this machine's byte order. */
function palette(): Uint32Array {
  const bytes = new Uint8ClampedArray(4 * SHADES);
  for (let shade = 0; shade < SHADES; shade++) {
    const position = (shade / (SHADES - 1)) * (STOPS.length - 1);
    const stop = Math.min(Math.floor(position), STOPS.length - 2);
    const blend = position - stop;
    for (let c = 0; c < 3; c++) {
      bytes[4 * shade + c] = (1 - blend) * STOPS[stop]![c]! + blend * STOPS[stop + 1]![c]!;
    }
    bytes[4 * shade + 3] = 255;
  }
  return new Uint32Array(bytes.buffer);
}

export const PALETTE = palette();
