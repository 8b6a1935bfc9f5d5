import { describe, expect, it } from 'vitest';
import { reliability } from '../../../../src/ml/metrics/index.js';
import { batchesOf, keepsPromises, names, near, over } from '../support.js';

describe('reliability', () => {
  it('has the gaps from which the calibration error is made', () => {
    for (const { figures, rows } of batchesOf('binary')) {
      const bins = over(reliability({ bins: 10 }), rows) ?? [];
      const all = bins.reduce((sum, { weight }) => sum + weight, 0);
      near(
        bins.reduce((sum, bin) => sum + (bin.weight / all) * Math.abs(bin.predicted - bin.happened), 0),
        figures.ece as number,
      );
      expect(bins.reduce((sum, bin) => sum + bin.rows, 0)).toBe(rows.length);
    }
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(reliability({ bins: 4 }), 'binary');
    keepsPromises(reliability({ bins: 4, classes: names }), 'class');
  });

  it('leaves out bins without rows, and shows how sure decisions were', () => {
    const rows = [
      { prediction: 0.25, label: false },
      { prediction: 0.25, label: true, weight: 3 },
      { prediction: 1, label: true },
    ];
    expect(over(reliability({ bins: 4 }), rows)).toEqual([
      { from: 0.25, to: 0.5, rows: 2, weight: 4, predicted: 0.25, happened: 0.75 },
      { from: 0.75, to: 1, rows: 1, weight: 1, predicted: 1, happened: 1 },
    ]);
    const decided = over(reliability({ bins: 2, classes: names }), [{ prediction: [0.1, 0.75, 0.15], label: 'a' }]);
    expect(decided).toEqual([{ from: 0.5, to: 1, rows: 1, weight: 1, predicted: 0.75, happened: 0 }]);
  });
});
