import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addLogLoss, emptyLogLoss, logLoss, logLossOf, mergeLogLoss } from '../../../src/ml/metrics/index.js';

it('is what was lost by believing something else, in nats', () => {
  const sum = emptyLogLoss();
  addLogLoss(sum, 0.8, true);
  addLogLoss(sum, 0.4, false);
  expect(logLoss(sum)).toBeCloseTo((-Math.log(0.8) - Math.log(0.6)) / 2, 15);
});

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

it('is not a number over no rows', () => expect(logLoss(emptyLogLoss())).toBeNaN());

it('adds up over any split of the rows', () => {
  const rows = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()));
  fc.assert(
    fc.property(rows, rows, (left, right) => {
      const over = (part: [number, boolean][]) => {
        const sum = emptyLogLoss();
        for (const [probability, label] of part) addLogLoss(sum, probability, label);
        return sum;
      };
      const merged = mergeLogLoss(over(left), over(right));
      const whole = over([...left, ...right]);
      expect(merged.rows).toBe(whole.rows);
      expect(merged.sum).toBeCloseTo(whole.sum, 8);
    }),
  );
});
