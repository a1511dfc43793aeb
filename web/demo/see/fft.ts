// Painter: the spectra of two windows of sound by one complex transform.

/** Samples of a window, a power of two. */
export const FFT_SIZE = 2048;
export const BINS = FFT_SIZE / 2;

const cosines = Float32Array.from({ length: BINS }, (_, i) => Math.cos((2 * Math.PI * i) / FFT_SIZE));
const sines = Float32Array.from({ length: BINS }, (_, i) => -Math.sin((2 * Math.PI * i) / FFT_SIZE));
const hann = Float32Array.from({ length: FFT_SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / FFT_SIZE));
const reversed = Uint16Array.from({ length: FFT_SIZE }, (_, i) => {
  let mirror = 0;
  for (let bit = 1, rest = i; bit < FFT_SIZE; bit <<= 1, rest >>= 1) mirror = (mirror << 1) | (rest & 1);
  return mirror;
});

const real = new Float32Array(FFT_SIZE);
const imaginary = new Float32Array(FFT_SIZE);

/** In place, decimation in time; the input has been put in reversed order. */
function transform(): void {
  for (let half = 1, stride = BINS; half < FFT_SIZE; half <<= 1, stride >>= 1) {
    for (let start = 0; start < FFT_SIZE; start += 2 * half) {
      for (let k = 0, at = start; k < half; k++, at++) {
        const c = cosines[k * stride]!;
        const s = sines[k * stride]!;
        const other = at + half;
        const re = real[other]! * c - imaginary[other]! * s;
        const im = real[other]! * s + imaginary[other]! * c;
        real[other] = real[at]! - re;
        imaginary[other] = imaginary[at]! - im;
        real[at]! += re;
        imaginary[at]! += im;
      }
    }
  }
}

/**
 * Power of the bins of two real windows: one is the real part, the other the imaginary part of what is transformed.
 *
 * first, second  samples of full scale 1; FFT_SIZE of them are read from `from` on
 * powers         [BINS] each, written: 1 for a sine of full scale in the middle of its bin
 */
export function powerSpectra(
  first: Float32Array,
  second: Float32Array,
  from: number,
  powers: readonly [Float32Array, Float32Array],
): void {
  for (let i = 0; i < FFT_SIZE; i++) {
    real[reversed[i]!] = first[from + i]! * hann[i]!;
    imaginary[reversed[i]!] = second[from + i]! * hann[i]!;
  }
  transform();
  const scale = (2 / FFT_SIZE) ** 2;
  for (let bin = 0; bin < BINS; bin++) {
    const mirror = (FFT_SIZE - bin) % FFT_SIZE;
    const evenRe = real[bin]! + real[mirror]!;
    const oddRe = real[bin]! - real[mirror]!;
    const evenIm = imaginary[bin]! + imaginary[mirror]!;
    const oddIm = imaginary[bin]! - imaginary[mirror]!;
    powers[0][bin] = scale * (evenRe * evenRe + oddIm * oddIm);
    powers[1][bin] = scale * (evenIm * evenIm + oddRe * oddRe);
  }
}
