import { describe, expect, it } from 'vitest';
import { rocAuc, rocAucRange } from '../../../../src/ml/metrics/index.js';
import { batchesOf, holdsTo, keepsPromises, names, over } from '../support.js';

describe('rocAuc', () => {
  it('equals that of scikit-learn over the bins of the scores', () => {
    holdsTo('binary', 'roc_auc_binned', () => rocAuc({ bins: 16 }));
    holdsTo('class', 'roc_auc_binned', ({ classes = [] }) => rocAuc({ classes, bins: 16 }));
  });

  it('has the exact figure of scikit-learn within its range, which more bins make small', () => {
    for (const kind of ['binary', 'class'] as const)
      for (const { classes, figures, rows } of batchesOf(kind))
        for (const bins of [2, 16, 512, 65_536])
          for (const scale of ['probability', 'log-odds'] as const) {
            const options = { bins, scale, ...(classes && { classes }) };
            const range = over(rocAucRange(options), rows);
            const shown = over(rocAuc(options), rows) as number;
            const exact = figures.roc_auc as number;
            expect(range?.low).toBeLessThanOrEqual(exact + 1e-12);
            expect(range?.high).toBeGreaterThanOrEqual(exact - 1e-12);
            expect(range?.low).toBeLessThanOrEqual(shown + 1e-12);
            expect(range?.high).toBeGreaterThanOrEqual(shown - 1e-12);
          }
    // Scores that differ by more than a bin are ordered exactly.
    const apart = batchesOf('binary')[2]?.rows ?? [];
    expect(over(rocAuc({ bins: 65_536 }), apart)).toBeCloseTo(batchesOf('binary')[2]?.figures.roc_auc as number, 12);
    const wide = over(rocAucRange({ bins: 2 }), apart);
    const small = over(rocAucRange({ bins: 512 }), apart);
    expect((wide?.high ?? 0) - (wide?.low ?? 0)).toBeGreaterThan(0.1);
    expect((small?.high ?? 1) - (small?.low ?? 0)).toBeLessThan(0.03);
  });

  it('leaves out rows whose score is not a number', () => {
    const row = (prediction: number, label: boolean) => ({ prediction, label });
    const rows = [row(0.9, true), row(Number.NaN, false), row(0.2, false), row(Number.NaN, true)];
    expect(over(rocAuc(), rows)).toBe(1);
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(rocAuc({ bins: 8 }), 'binary', { exact: true });
    keepsPromises(rocAuc({ bins: 40, scale: 'log-odds' }), 'binary', { exact: true });
    keepsPromises(rocAucRange({ bins: 8 }), 'binary', { exact: true });
    keepsPromises(rocAuc({ bins: 8, classes: names }), 'class', { exact: true });
  });

  it('gives the textbook figure, and none without both labels', () => {
    // scikit-learn's documentation of roc_auc_score
    const rows = [0.1, 0.4, 0.35, 0.8].map((prediction, i) => ({ prediction, label: i > 1 }));
    expect(over(rocAuc(), rows)).toBe(0.75);
    expect(over(rocAuc(), rows.slice(2))).toBeNull();
    expect(over(rocAucRange(), rows.slice(2))).toBeNull();
  });

  it('tells small probabilities apart by their log-odds', () => {
    const rows = [1e-5, 2e-5, 3e-4, 5e-4].map((prediction, i) => ({ prediction, label: i > 1 }));
    expect(over(rocAuc(), rows)).toBe(0.5);
    expect(over(rocAuc({ scale: 'log-odds' }), rows)).toBe(1);
    expect(
      over(rocAuc({ scale: 'log-odds' }), [...rows, { prediction: 0, label: false }, { prediction: 1, label: true }]),
    ).toBe(1);
  });

  it('names what is wrong with its options', () => {
    expect(rocAuc({ bins: 1.5 }).problems[0]?.message).toBe('the number of bins is 1.5');
  });
});
