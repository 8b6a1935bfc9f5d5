import fc from 'fast-check';
import { expect, it } from 'vitest';
import { vectorDigest } from '../../../src/ml/features/index.js';

const numbers = (dense: readonly number[], indices: readonly number[], hash = 'view') => ({
  hash,
  dense: Float32Array.from(dense),
  indices: Uint32Array.from(indices),
});

it('never moves: logged predictions carry it', () => {
  expect(vectorDigest(numbers([0.5, -1], [7, 2 ** 32 - 1]))).toMatchInlineSnapshot(`"b257bb8d0548c9cb"`);
});

it('is another one for another bit anywhere, another order, another split or another view', () => {
  const vector = fc.record({
    dense: fc.array(fc.float({ noNaN: true }), { maxLength: 6 }),
    indices: fc.array(fc.nat(), { maxLength: 6 }),
  });
  const text = ({ dense, indices }: { dense: number[]; indices: number[] }) =>
    JSON.stringify([dense.map((value) => (Object.is(value, -0) ? '-0' : value)), indices]);
  fc.assert(
    fc.property(vector, vector, (a, b) => {
      const same = vectorDigest(numbers(a.dense, a.indices)) === vectorDigest(numbers(b.dense, b.indices));
      expect(same).toBe(text(a) === text(b));
      expect(vectorDigest(numbers(a.dense, a.indices, 'x'))).not.toBe(vectorDigest(numbers(a.dense, a.indices, 'y')));
    }),
    { numRuns: 2_000 },
  );
});
