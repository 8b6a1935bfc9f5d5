import { describe, expect, it } from 'vitest';
import { accumulatorOf } from '../../../src/aggregates/accumulator.js';
import type { Aggregate } from '../../../src/aggregates/index.js';
import { accuracy, logLoss, rocAuc } from '../../../src/ml/metrics/index.js';
import { meanInterval, rocAucInterval, shareInterval } from '../../../src/ml/metrics/intervals.js';
import { generator } from '../../random.js';

describe('the interval of a share', () => {
  it('is Wilson’s: as statsmodels and the literature have it, and of use at the ends', () => {
    expect(shareInterval(8, 10)).toEqual([expect.closeTo(0.490162, 6), expect.closeTo(0.943318, 6)]);
    expect(shareInterval(750, 1_000)).toEqual([expect.closeTo(0.72224, 6), expect.closeTo(0.775847, 6)]);
    expect(shareInterval(0, 5)).toEqual([expect.closeTo(0, 12), expect.closeTo(0.434482, 6)]);
    expect(shareInterval(5, 5)).toEqual([expect.closeTo(0.565518, 6), expect.closeTo(1, 12)]);
    expect(shareInterval(0, 0)).toBeUndefined();
  });

  it('has the true share 95 times of 100', () => {
    const random = generator(7);
    const covers = Array.from({ length: 2_000 }, () => {
      const right = Array.from({ length: 60 }, random).filter((each) => each < 0.85).length;
      const [low, high] = shareInterval(right, 60) ?? [1, 0];
      return low <= 0.85 && 0.85 <= high;
    });
    const share = covers.filter(Boolean).length / covers.length;
    expect(share).toBeGreaterThan(0.93);
    expect(share).toBeLessThan(0.975);
  });
});

it('the interval of a mean is that of the normal distribution, and there is none of few rows', () => {
  expect(meanInterval(3, 25, 100)).toEqual([expect.closeTo(2.212065, 6), expect.closeTo(3.787935, 6)]);
  expect(meanInterval(3, 9, 100)).toEqual([3, 3]);
  expect(meanInterval(3, 25, 29)).toBeUndefined();
});

it('the interval of a ROC AUC has the standard error of the example of Hanley and McNeil', () => {
  const [low = 0, high = 0] = rocAucInterval(0.893, 51, 58) ?? [];
  expect((high - low) / 2 / 1.96).toBeCloseTo(0.0325, 4); // their text: 0.893, 51 abnormal and 58 normal images, 0.032
  expect((high + low) / 2).toBeCloseTo(0.893, 9);
  expect(rocAucInterval(0.999, 12, 12)?.[1]).toBe(1);
  for (const [auc, happened, not] of [
    [0.9, 9, 100],
    [0.9, 100, 9],
    [1, 100, 100],
    [Number.NaN, 100, 100],
  ] as const)
    expect(rocAucInterval(auc, happened, not)).toBeUndefined();
});

describe('metrics say how sure they are', () => {
  interface Row {
    readonly prediction: number;
    readonly label: boolean;
    readonly weight?: number;
  }
  const rows: Row[] = Array.from({ length: 40 }, (_, i) => ({ prediction: ((i * 7) % 40) / 40, label: i % 4 === 0 }));
  const intervalOf = (metric: Aggregate<Row, number | null>, values: readonly Row[]) => {
    const accumulator = accumulatorOf<Row>({ metric });
    const numbers = new Float64Array(accumulator.numbers);
    const states: unknown[] = [];
    accumulator.init(numbers, 0, states, 0);
    for (const row of values) accumulator.add(numbers, 0, states, 0, row, 0);
    const results: Record<string, unknown> = {};
    accumulator.results(results, numbers, 0, states, 0);
    const sums = accumulator.sums(numbers, 0, states, 0).metric ?? [];
    return { value: results.metric as number, interval: metric.additive?.interval?.(sums) };
  };

  it('of rows that count the same', () => {
    const share = intervalOf(accuracy(), rows);
    expect(share.interval).toEqual(shareInterval(Math.round(share.value * 40), 40));
    const auc = intervalOf(rocAuc(), rows);
    expect(auc.interval).toEqual(rocAucInterval(auc.value, 10, 30));
    expect(auc.interval?.[0]).toBeLessThan(auc.value);
  });

  it('and not of weighted rows, of none, and where sums do not tell', () => {
    const weighted = rows.map((row, i) => ({ ...row, weight: 1 + (i % 2) }));
    for (const metric of [accuracy(), rocAuc()]) {
      expect(intervalOf(metric, weighted).interval).toBeUndefined();
      expect(intervalOf(metric, []).interval).toBeUndefined();
    }
    expect(intervalOf(logLoss(), rows).interval).toBeUndefined();
    expect(rocAuc({ classes: ['a', 'b'] }).additive?.interval).toBeUndefined();
  });
});
