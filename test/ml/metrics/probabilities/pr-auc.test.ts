import { describe, expect, it } from 'vitest';
import { prAuc, prAucRange } from '../../../../src/ml/metrics/index.js';
import { batchesOf, holdsTo, keepsPromises, names, over } from '../support.js';

describe('prAuc', () => {
  it('equals that of scikit-learn over the bins of the scores', () => {
    holdsTo('binary', 'pr_auc_binned', () => prAuc({ bins: 16 }));
    holdsTo('class', 'pr_auc_binned', ({ classes = [] }) => prAuc({ classes, bins: 16 }));
  });

  it('has the exact figure of scikit-learn within its range, which more bins make small', () => {
    for (const kind of ['binary', 'class'] as const)
      for (const { classes, figures, rows } of batchesOf(kind))
        for (const bins of [2, 16, 512, 65_536])
          for (const scale of ['probability', 'log-odds'] as const) {
            const options = { bins, scale, ...(classes && { classes }) };
            const range = over(prAucRange(options), rows);
            const shown = over(prAuc(options), rows) as number;
            const exact = figures.pr_auc as number;
            expect(range?.low).toBeLessThanOrEqual(exact + 1e-12);
            expect(range?.high).toBeGreaterThanOrEqual(exact - 1e-12);
            expect(range?.low).toBeLessThanOrEqual(shown + 1e-12);
            expect(range?.high).toBeGreaterThanOrEqual(shown - 1e-12);
          }
    // Scores that differ by more than a bin are ordered exactly.
    const apart = batchesOf('binary')[2]?.rows ?? [];
    expect(over(prAuc({ bins: 65_536 }), apart)).toBeCloseTo(batchesOf('binary')[2]?.figures.pr_auc as number, 12);
    const wide = over(prAucRange({ bins: 2 }), apart);
    const small = over(prAucRange({ bins: 512 }), apart);
    expect((wide?.high ?? 0) - (wide?.low ?? 0)).toBeGreaterThan(0.1);
    expect((small?.high ?? 1) - (small?.low ?? 0)).toBeLessThan(0.03);
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(prAuc({ bins: 8 }), 'binary', { exact: true });
    keepsPromises(prAuc({ bins: 40, scale: 'log-odds' }), 'binary', { exact: true });
    keepsPromises(prAucRange({ bins: 8 }), 'binary', { exact: true });
    keepsPromises(prAuc({ bins: 8, classes: names }), 'class', { exact: true });
  });

  it('gives the textbook figure, and none without a true label', () => {
    // scikit-learn's documentation of average_precision_score
    const rows = [0.1, 0.4, 0.35, 0.8].map((prediction, i) => ({ prediction, label: i > 1 }));
    expect(over(prAuc(), rows)).toBeCloseTo(5 / 6, 12);
    expect(over(prAuc(), rows.slice(0, 2))).toBeNull();
  });

  it('names what is wrong with its options', () => {
    expect(prAuc({ bins: 1.5 }).problems[0]?.message).toBe('the number of bins is 1.5');
  });
});
