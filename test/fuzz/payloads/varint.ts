import type { Chance } from '../chance.js';

/** Seven bits a byte, the lowest first, of 64 bits in two's complement. */
export function varint(value: bigint | number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

export const zigzag = (value: bigint | number): Buffer => {
  const big = BigInt.asIntN(64, BigInt(value));
  return varint((big << 1n) ^ (big >> 63n));
};

/** Numbers at the edges of what types hold. */
export const edges = [
  0n,
  1n,
  -1n,
  63n,
  -64n,
  127n,
  128n,
  2n ** 31n - 1n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  -(2n ** 53n),
  8_640_000_000_000_000n,
  8_640_000_000_000_001n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

const tooLong = [
  Buffer.from('ffffffffffffffffffff01', 'hex'),
  Buffer.from('80808080808080808080', 'hex'),
  Buffer.from('ffffffffffffffffff7f', 'hex'),
  Buffer.from('8080808000', 'hex'),
];

/** A length or a count that is not the one it should be. */
export const lie = (truth: number, { pick, below }: Chance): bigint =>
  BigInt(pick([-1, 0, truth - 1, truth + 1, truth * 2, 65_535, 65_536, 2 ** 31, 2 ** 45, -(2 ** 62), below(100)]));

/** A varint that no honest writer makes, or of a number at an edge. */
export const strange = (chance: Chance, of: (value: bigint) => Buffer): Buffer =>
  chance.oneIn(3) ? chance.pick(tooLong) : of(chance.pick(edges));

const texts = ['', 'a', 'äöü€😀', '__proto__', 'constructor', '\u0000', 'x'.repeat(300), '-1', '{"a":1}'].map((each) =>
  Buffer.from(each),
);
const noTexts = ['ff', 'eda080', 'c0af', 'f4908080', 'e282'].map((hex) => Buffer.from(hex, 'hex'));

/** The bytes of a text, or of something that is none. */
export const textBytes = (chance: Chance): Buffer => (chance.oneIn(20) ? chance.pick(noTexts) : chance.pick(texts));
