import { describe, expect, it } from 'vitest';
import { confidenceHistogram } from '../../../../src/ml/metrics/index.js';
import { batchesOf, keepsPromises, names, over } from '../support.js';

describe('confidence histogram', () => {
  it('has the weight of predictions by bin', () => {
    for (const { rows } of batchesOf('binary')) {
      const expected = new Array<number>(5).fill(0);
      for (const { prediction, weight } of rows) {
        const bin = Math.min(4, Math.floor(5 * Number(prediction)));
        expected[bin] = (expected[bin] as number) + (weight ?? 1);
      }
      const shown = over(confidenceHistogram({ bins: 5 }), rows) ?? [];
      shown.forEach((weight, bin) => {
        expect(weight).toBeCloseTo(expected[bin] as number, 9);
      });
    }
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(confidenceHistogram({ bins: 6 }), 'binary', { exact: true });
    keepsPromises(confidenceHistogram({ bins: 100, classes: names }), 'class', { exact: true });
  });

  it('needs no labels', () => {
    const rows = [{ prediction: 0 }, { prediction: 0.5, weight: 2 }, { prediction: 1 }, { prediction: null }];
    expect(over(confidenceHistogram({ bins: 2 }), rows)).toEqual([1, 3]);
    expect(
      over(confidenceHistogram({ bins: 2, classes: names }), [{ prediction: { a: 0.2, b: 0.4, c: 0.4 } }]),
    ).toEqual([1, 0]);
  });
});
