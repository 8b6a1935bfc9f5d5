import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { halvingSize, openHalving } from '../../../src/ml/evaluation/successive-halving.js';
import { float64Cell } from '../../../src/state/index.js';

const open = (candidates: number, rungLabels: number) => {
  const cell = float64Cell({ size: halvingSize(candidates) }).open();
  return { cell, halving: openHalving(cell, candidates, rungLabels) };
};

/** Who is dropped, and at which label, if candidate `c` always loses `losses[c]`. */
function dropsOf(losses: readonly number[], rungLabels: number, labels: number) {
  const { halving } = open(losses.length, rungLabels);
  const drops: [label: number, dropped: readonly number[]][] = [];
  for (let label = 1; label <= labels; label++) {
    const dropped = halving.add(halving.left().map((c) => losses[c] as number));
    if (dropped.length > 0) drops.push([label, dropped]);
  }
  return { drops, halving };
}

describe('successive halving', () => {
  it('drops the worse half at the end of each rung, the worst first; a rung has twice the labels of the one before', () => {
    const { drops, halving } = dropsOf([5, 1, 4, 2, 3, 6, 0.5], 10, 200);
    expect(drops).toEqual([
      [10, [5, 0, 2]],
      [30, [4, 3]],
      [70, [1]],
    ]);
    expect([halving.left(), halving.best(), halving.meanLoss(6)]).toEqual([[6], 6, 0.5]);
  });

  it('takes sums of losses over all labels, not those of the last rung', () => {
    const { halving } = open(3, 2);
    halving.add([9, 0, 20]);
    expect(halving.best()).toBe(1);
    expect(halving.add([0, 1, 0])).toEqual([2]);
    for (const losses of [
      [0, 2],
      [0, 2],
      [0, 2],
    ])
      expect(halving.add(losses)).toEqual([]);
    expect(halving.add([0, 1.5])).toEqual([0]); // 9 against 8.5
    expect([halving.labels(), halving.meanLoss(0), halving.meanLoss(1)]).toEqual([6, 9 / 6, 8.5 / 6]);
  });

  it('prefers the first of equal ones, and any to one whose loss is no number', () => {
    expect(dropsOf([1, 1, 1, 1], 1, 9).drops).toEqual([
      [1, [3, 2]],
      [3, [1]],
    ]);
    expect(
      dropsOf([Number.NaN, 1e9, Number.POSITIVE_INFINITY, 3], 5, 50).drops.flatMap(([, dropped]) => dropped),
    ).toEqual([2, 0, 1]);
    expect(dropsOf([Number.NaN, Number.NaN], 5, 50).halving.meanLoss(0)).toBeLessThan(Number.POSITIVE_INFINITY);
  });

  it('keeps the one with the least sum of all that were compared with it to the end, at less than log2(k) + 1 times the cost of one', () => {
    const cases = fc.record({
      candidates: fc.integer({ min: 2, max: 33 }),
      rungLabels: fc.integer({ min: 1, max: 7 }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(cases, ({ candidates, rungLabels, seed }) => {
        const { halving, cell } = open(candidates, rungLabels);
        const sums = new Array<number>(candidates).fill(0);
        let cost = 0;
        let labels = 0;
        while (halving.left().length > 1) {
          const left = halving.left();
          expect(halving.best()).toBe(left.reduce((a, b) => ((sums[b] as number) < (sums[a] as number) ? b : a)));
          const losses = left.map((c) => ((seed ^ (c * 7919 + labels * 104_729)) >>> 0) % 97);
          left.forEach((c, i) => {
            sums[c] = (sums[c] as number) + (losses[i] as number);
          });
          cost += left.length;
          labels += 1;
          const dropped = halving.add(losses);
          expect(halving.left()).toEqual(left.filter((c) => !dropped.includes(c)));
          if (dropped.length === 0) continue;
          expect(dropped).toHaveLength(Math.floor(left.length / 2));
          for (const lost of dropped)
            for (const kept of halving.left()) expect(sums[kept]).toBeLessThanOrEqual(sums[lost] as number);
          const again = openHalving(cell, candidates, rungLabels);
          expect([again.left(), again.best()]).toEqual([halving.left(), halving.best()]);
        }
        expect(cost / labels).toBeLessThan(Math.log2(candidates) + 1.001);
      }),
      { numRuns: 50 },
    );
  });
});
