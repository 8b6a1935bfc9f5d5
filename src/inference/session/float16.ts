// JavaScript has float16 arrays from Node 24 on only, so numbers are converted by their bits: 1 for the sign, 5 for the exponent, 10 for
// the fraction.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The 16 bits of the nearest float16, of two that are as near the even one, as IEEE 754 rounds. From 65,520 on it is infinite. */
function halfOf(number: number): number {
  float[0] = number;
  const all = bits[0] as number;
  const sign = (all >>> 16) & 0x8000;
  const size = all & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  if (size >= 0x477ff000) return sign | 0x7c00;
  if (size >= 0x38800000) return sign | nearest(size - 0x38000000, 13);
  // Below 2^-14 the fraction counts multiples of 2^-24, without a leading 1.
  const shift = 126 - (size >>> 23);
  return shift > 24 ? sign : sign | nearest((size & 0x7fffff) | 0x800000, shift);
}

function nearest(fraction: number, shift: number): number {
  const half = 1 << (shift - 1);
  const isOdd = (fraction >>> shift) & 1;
  return (fraction + half - 1 + isOdd) >>> shift;
}

function numberOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1_024) * 2 ** (exponent - 15);
}

/** The float16 bits of numbers, each rounded to the nearest. */
export const toHalves = (numbers: Float32Array): Uint16Array => Uint16Array.from(numbers, halfOf);

let numbers: Float32Array | undefined;

/** The numbers of float16 bits, exactly. */
export function fromHalves(halves: Uint16Array): Float32Array {
  // There are 65,536 of them.
  numbers ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => numberOf(half));
  const table = numbers;
  const all = new Float32Array(halves.length);
  for (let i = 0; i < all.length; i++) all[i] = table[halves[i] as number] as number;
  return all;
}
