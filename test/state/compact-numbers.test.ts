import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compactBytesMax, readCompact, writeCompact } from '../../src/state/compact-numbers.js';

const bitsOf = (values: Float64Array) => Array.from(new BigUint64Array(values.buffer));

/** Numbers with this many bytes before and behind them. */
function written(values: Float64Array, around = 0): { readonly view: DataView; readonly end: number } {
  const view = new DataView(new ArrayBuffer(compactBytesMax(values.length) + around));
  return { view, end: writeCompact(values, 0, values.length, view, around) };
}

describe('compact numbers', () => {
  it('keep every bit, from any number on', () => {
    const number = fc.oneof(
      fc.double(),
      fc.float(),
      fc.integer({ min: -70_000, max: 70_000 }),
      fc.constantFrom(0, -0, 65_535, 65_536, 2 ** 24, 2 ** 24 + 1, 5e-324, Number.NaN, Number.NEGATIVE_INFINITY),
    );
    fc.assert(
      fc.property(fc.array(number, { maxLength: 40 }), fc.nat(8), fc.nat(8), (numbers, before, around) => {
        const all = Float64Array.from([...Array.from({ length: before }, () => 7), ...numbers]);
        const view = new DataView(new ArrayBuffer(compactBytesMax(numbers.length) + around));
        const end = writeCompact(all, before, all.length, view, around);
        const again = new Float64Array(all.length).fill(7);
        expect(readCompact(view, around, again, before, all.length)).toBe(end);
        expect(bitsOf(again)).toEqual(bitsOf(all));
      }),
    );
  });

  it('keep the bits of any NaN', () => {
    const values = new Float64Array(3);
    new BigUint64Array(values.buffer).set([0x7ff8_0000_0000_0001n, 0xfff4_dead_beef_0002n, 0x7ff8_0000_0000_0000n]);
    const again = new Float64Array(3);
    readCompact(written(values).view, 0, again, 0, 3);
    expect(bitsOf(again)).toEqual(bitsOf(values));
  });

  it.each([
    ['zeros', 0, 0],
    ['counts', 65_535, 2],
    ['whole numbers beyond', 65_536, 4],
    ['negative ones', -1, 4],
    ['a zero below 0', -0, 4],
    ['float32 numbers', Math.fround(0.1), 4],
    ['others', 0.1, 8],
    ['NaN', Number.NaN, 8],
  ])('take %s in few bytes', (_what, value, bytes) => {
    expect(written(new Float64Array(6).fill(value)).end).toBe(2 + 6 * bytes);
  });

  it('do not end early', () => {
    const values = Float64Array.of(0.1, 3, Math.fround(0.1), 0, 0.2);
    const { view, end } = written(values);
    for (let length = 0; length < end; length++)
      expect(() => readCompact(new DataView(view.buffer, 0, length), 0, new Float64Array(5), 0, 5)).toThrow(RangeError);
  });
});
