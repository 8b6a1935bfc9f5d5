import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addRocBins,
  binnedRocAuc,
  emptyRocBins,
  mergeRocBins,
  rocAuc,
  scoreBin,
} from '../../../src/ml/metrics/index.js';

const rows = fc.array(
  fc.record({
    score: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.25, 0.5, 1)),
    label: fc.boolean(),
  }),
  { minLength: 2, maxLength: 60 },
);
type Rows = { score: number; label: boolean }[];

/** By the definition: every pair of a row that happened and one that did not. */
function byPairs(all: Rows): number {
  let won = 0;
  let pairs = 0;
  for (const { score: yes, label } of all) {
    if (!label) continue;
    for (const other of all) {
      if (other.label) continue;
      pairs++;
      won += yes > other.score ? 1 : yes === other.score ? 0.5 : 0;
    }
  }
  return won / pairs;
}

const exact = (all: Rows) =>
  rocAuc(
    all.map((r) => r.score),
    all.map((r) => r.label),
  );

function binned(all: Rows, bins: number) {
  const into = emptyRocBins(bins);
  for (const { score, label } of all) addRocBins(into, score, label);
  return into;
}

describe('ROC AUC', () => {
  it('is NaN where a score is, and ends', () => {
    expect(rocAuc([0.9, Number.NaN, 0.1], [true, true, false])).toBeNaN();
    expect(rocAuc([Number.NaN], [true])).toBeNaN();
    expect(rocAuc([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], [true, false])).toBe(1);
    expect(rocAuc([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0], [true, false, false])).toBe(0.75);
  });

  it('gives the textbook figure', () => {
    // scikit-learn's documentation of roc_auc_score
    expect(rocAuc([0.1, 0.4, 0.35, 0.8], [false, false, true, true])).toBe(0.75);
  });

  it('is the share of pairs in the right order, ties counting half', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const expected = byPairs(all);
        if (Number.isNaN(expected)) expect(exact(all)).toBeNaN();
        else expect(exact(all)).toBeCloseTo(expected, 12);
      }),
    );
  });

  it('does not change its input', () => {
    const scores = [0.9, 0.1, 0.5];
    rocAuc(scores, [true, false, true]);
    expect(scores).toEqual([0.9, 0.1, 0.5]);
  });
});

describe('ROC AUC from bins', () => {
  it('is within the error that it states', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom(1, 4, 32, 512), (all, bins) => {
        const { rocAuc: estimate, errorMax } = binnedRocAuc(binned(all, bins));
        if (Number.isNaN(estimate)) return;
        expect(Math.abs(estimate - exact(all))).toBeLessThanOrEqual(errorMax + 1e-12);
      }),
    );
  });

  it('is the same over any split of the rows', () => {
    fc.assert(
      fc.property(rows, rows, (left, right) => {
        expect(mergeRocBins(binned(left, 64), binned(right, 64))).toEqual(binned([...left, ...right], 64));
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
