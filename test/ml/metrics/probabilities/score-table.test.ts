import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binnedRocAuc } from '../../../../src/ml/metrics/probabilities/roc-auc.js';
import { scoreBin } from '../../../../src/ml/metrics/probabilities/score-table.js';

const rows = fc.array(
  fc.record({
    score: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.25, 0.5, 1)),
    label: fc.boolean(),
  }),
  { minLength: 2, maxLength: 60 },
);
type Rows = { score: number; label: boolean }[];

/** By the definition, every pair of a row that happened and one that did not; and the share of the pairs within one bin. */
function byPairs(all: Rows, bins: number): { exact: number; tied: number } {
  let won = 0;
  let tied = 0;
  let pairs = 0;
  for (const { score: yes, label } of all) {
    if (!label) continue;
    for (const other of all) {
      if (other.label) continue;
      pairs++;
      won += yes > other.score ? 1 : yes === other.score ? 0.5 : 0;
      if (scoreBin(yes, bins) === scoreBin(other.score, bins)) tied++;
    }
  }
  return { exact: won / pairs, tied: tied / pairs };
}

function binned(all: Rows, bins: number): number {
  const counts = { true: new Float64Array(bins), false: new Float64Array(bins) };
  for (const { score, label } of all) {
    const side = counts[`${label}`];
    const bin = scoreBin(score, bins);
    side[bin] = (side[bin] as number) + 1;
  }
  return binnedRocAuc(counts.true, counts.false);
}

describe('ROC AUC from bins', () => {
  it('gives the textbook figure', () => {
    // scikit-learn's documentation of roc_auc_score
    const [a, b, c, d] = [0.1, 0.4, 0.35, 0.8].map((score, i) => ({ score, label: i > 1 }));
    expect(binned([a, b, c, d] as Rows, 512)).toBe(0.75);
  });

  it('is the share of pairs in the right order, but for half of those in one bin', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom(1, 4, 32, 512), (all, bins) => {
        const { exact, tied } = byPairs(all, bins);
        if (Number.isNaN(exact)) expect(binned(all, bins)).toBeNaN();
        else expect(Math.abs(binned(all, bins) - exact)).toBeLessThanOrEqual(tied / 2 + 1e-12);
      }),
    );
  });

  it('puts every probability into a bin, the ends too', () => {
    expect(scoreBin(0, 512)).toBe(0);
    expect(scoreBin(1, 512)).toBe(511);
    expect(scoreBin(Number.NaN, 512)).toBe(0);
    expect(scoreBin(0.5, 512)).toBe(256);
  });
});
