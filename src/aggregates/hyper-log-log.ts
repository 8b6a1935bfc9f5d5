// HyperLogLog over 52 bits of hash: the first 12 choose a register, which keeps the longest run of zeros after them.

const BITS = 12;
export const REGISTERS = 1 << BITS;
/** Bits of the hash that runs are counted in: 20 of the first word and 32 of the second. */
const RUN_MAX = 52;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/** Two independent 32-bit hashes of a value, as one number of 52 bits; part of the stored format. */
export function hash52(value: string | number | boolean): number {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  if (typeof value === 'string') {
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      a = Math.imul(a ^ code, 0x9e3779b1);
      b = Math.imul(b ^ code, 0x5f356495);
    }
    a ^= value.length;
  } else {
    // Each word goes through a whole round before the next: linear mixing maps consecutive doubles onto few hashes.
    float[0] = Number(value) + 0;
    const type = typeof value === 'number' ? 0x2545f491 : 0x6c8e9cf5;
    a = finish(finish(a ^ type ^ (words[0] as number)) ^ (words[1] as number));
    b = finish(finish(b ^ type ^ (words[1] as number)) ^ (words[0] as number));
  }
  const high = finish(a ^ Math.imul(b, 0x27d4eb2f));
  const low = finish(b ^ Math.imul(high, 0x165667b1));
  return (high >>> 12) * 2 ** 32 + (low >>> 0);
}

function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Notes a hash of 52 bits: 12 for the register, 40 for the run. */
export function note(registers: Uint8Array, hash: number): void {
  const high = Math.floor(hash / 2 ** 32); // 20 bits
  const register = high >>> 8;
  const rest = high & 0xff;
  const low = hash >>> 0;
  const run = rest !== 0 ? Math.clz32(rest) - 24 + 1 : 8 + Math.clz32(low) + 1;
  if (run > (registers[register] as number)) registers[register] = run;
}

export function noteAll(into: Uint8Array, from: Uint8Array): void {
  for (let i = 0; i < REGISTERS; i++) if ((from[i] as number) > (into[i] as number)) into[i] = from[i] as number;
}

/** How many different hashes were noted: Ertl's improved estimator ("New cardinality estimation algorithms", 2017). */
export function estimate(registers: Uint8Array): number {
  const runs = new Array<number>(RUN_MAX).fill(0);
  for (const run of registers) runs[run] = (runs[run] as number) + 1;
  const longest = 52 - BITS; // a run of this many zeros and no one after it counts as one longer
  let z = REGISTERS * tau(1 - (runs[longest + 1] as number) / REGISTERS);
  for (let k = longest; k >= 1; k--) z = 0.5 * (z + (runs[k] as number));
  z += REGISTERS * sigma((runs[0] as number) / REGISTERS);
  return (REGISTERS * REGISTERS) / (2 * Math.LN2 * z);
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let x = share;
  let y = 1;
  let z = x;
  for (let before = Number.NaN; z !== before; y += y) {
    x *= x;
    before = z;
    z += x * y;
  }
  return z;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y = 1;
  let z = 1 - x;
  for (let before = Number.NaN; z !== before; ) {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}
