import { describe, expect, test } from 'vitest';
import { normalizeRows, pool } from '../../src/inference/session/pooling.js';
import { vectorsOf } from '../../src/inference/session/vectors.js';

// Two rows of three positions of two numbers.
const data = Float32Array.of(1, 2, 3, 4, 100, 200, 5, 6, 7, 8, 9, 10);
const positions = { data, rows: 2, length: 3, size: 2 };
const output = { data, dims: [2, 3, 2] } as never;

describe('pooling', () => {
  test('takes the first position of each row', () => {
    expect([...pool('first', positions, undefined)]).toEqual([1, 2, 5, 6]);
  });

  test.each([
    ['int64', BigInt64Array.of(1n, 1n, 0n, 1n, 1n, 1n)],
    ['int32', Int32Array.of(1, 1, 0, 1, 1, 1)],
    ['float32', Float32Array.of(1, 1, 0, 1, 1, 1)],
  ])('takes the mean of the positions that a mask of %s marks', (_, mask) => {
    expect([...pool({ mean: 'mask' }, positions, mask)]).toEqual([2, 3, 7, 8]);
  });

  test('gives zeros where no position counts, whatever stands there', () => {
    const nothing = { data: Float32Array.of(Number.NaN, Number.NaN), rows: 1, length: 1, size: 2 };
    const pooled = pool({ mean: 'mask' }, nothing, Int32Array.of(0));
    normalizeRows(pooled, 2);
    expect([...pooled]).toEqual([0, 0]);
  });

  test('adds up in float64: a small number after a large one is not lost', () => {
    const sums = { data: Float32Array.of(2 ** 24, 1, 1, -(2 ** 24)), rows: 1, length: 4, size: 1 };
    expect(pool({ mean: 'mask' }, sums, Int32Array.of(1, 1, 1, 1))[0]).toBe(0.5);
  });

  test('makes vectors of length 1', () => {
    const rows = Float32Array.of(3, 4, 0, 0, -5, 12);
    normalizeRows(rows, 2);
    expect([...rows]).toEqual([3 / 5, 4 / 5, 0, 0, -5 / 13, 12 / 13].map(Math.fround));
  });
});

describe('the vectors of an output', () => {
  test('are pooled by the input that is named, then made of length 1', () => {
    const inputOf = (name: string) => (name === 'mask' ? Int32Array.of(1, 0, 0, 1, 1, 1) : undefined);
    const vectors = vectorsOf(output, 2, { pooling: { mean: 'mask' }, normalize: true }, inputOf);
    const lengths = [Math.hypot(1, 2), Math.hypot(7, 8)];
    expect([...vectors].map((n, i) => n * (lengths[i >> 1] as number))).toEqual(
      [1, 2, 7, 8].map((n) => expect.closeTo(n, 5)),
    );
  });

  test('are as they come without pooling', () => {
    expect(vectorsOf(output, 2)).toBe(data);
  });

  test.each([
    ['another number of rows', output, 3, {}, /answers 3 rows with \[2, 3, 2\]/],
    ['nothing', undefined, 1, {}, /answers 1 rows with \[\]/],
    ['integers', { data: new Int32Array(2), dims: [2, 1] } as never, 2, {}, /answers 2 rows/],
    [
      'a vector a row to pool',
      { data, dims: [2, 6] } as never,
      2,
      { pooling: 'first' as const },
      /not a vector for each position/,
    ],
  ])('are refused of %s', (_, output, rows, spec, message) => {
    expect(() => vectorsOf(output, rows, spec)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(message) }),
    );
  });
});
