import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  addCalibration,
  calibrationBins,
  calibrationError,
  emptyCalibration,
  mergeCalibration,
} from '../../../src/ml/metrics/index.js';

const over = (rows: readonly (readonly [number, boolean])[], bins = 10) => {
  const sums = emptyCalibration(bins);
  for (const [probability, label] of rows) addCalibration(sums, probability, label);
  return sums;
};

it('compares what was predicted with what happened, bin by bin', () => {
  const sums = over([
    [0.25, true],
    [0.21, false],
    [0.29, false],
    [1, true],
  ]);
  const [low, high, ...more] = calibrationBins(sums);
  expect(more).toEqual([]);
  expect(low).toMatchObject({ from: 0.2, to: 0.3, rows: 3, observedRate: 1 / 3 });
  expect(low?.meanPredicted).toBeCloseTo(0.25, 12);
  expect(high).toEqual({ from: 0.9, to: 1, rows: 1, meanPredicted: 1, observedRate: 1 });
  expect(calibrationError(sums)).toBeCloseTo((3 / 4) * (1 / 3 - 0.25), 12);
});

it('is perfect where the rates are the predictions', () => {
  const rows = Array.from({ length: 100 }, (_, i): [number, boolean] => [0.3, i < 30]);
  expect(calibrationError(over(rows))).toBeCloseTo(0, 12);
});

it('adds up over any split of the rows', () => {
  const rows = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()));
  fc.assert(
    fc.property(rows, rows, (left, right) => {
      const merged = mergeCalibration(over(left), over(right));
      const whole = over([...left, ...right]);
      expect(merged.rows).toEqual(whole.rows);
      expect(merged.observed).toEqual(whole.observed);
      merged.predicted.forEach((sum, i) => void expect(sum).toBeCloseTo(whole.predicted[i] as number, 9));
    }),
  );
});
