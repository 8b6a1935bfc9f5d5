import fc from 'fast-check';
import { expect, it } from 'vitest';
import { logLossOf } from '../../../src/ml/evaluation/judges.js';

it('costs much, but not infinitely, to be sure and wrong', () => {
  expect(logLossOf(0, true)).toBeCloseTo(34.538776, 5);
  expect(logLossOf(1, false)).toBe(logLossOf(0, true));
  expect(logLossOf(1, true)).toBeLessThan(1e-14);
});

it('is that of the nearest probability that is not sure, to the last bit', () => {
  const probability = fc.oneof(
    fc.double(),
    fc.double({ min: 0, max: 1 }),
    fc.constantFrom(0, 1, 1e-15, 1 - 1e-15, 2e-15),
  );
  fc.assert(
    fc.property(probability, fc.boolean(), (probability, label) => {
      const given = label ? probability : 1 - probability;
      expect(logLossOf(probability, label)).toBe(-Math.log(Math.min(1 - 1e-15, Math.max(1e-15, given))));
    }),
  );
});
