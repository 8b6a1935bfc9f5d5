import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClipRule, clip } from '../../../src/operators/quality/clip.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';
import { generator } from '../../random.js';

interface Flight {
  readonly delay: number | null;
  readonly fuel?: number;
}
const delays = (values: readonly (number | null)[]) => values.map((delay) => ({ value: { delay } }));
const clipped = (rule: ClipRule, values: readonly (number | null)[]) => {
  const run = driveOperator(clip<Flight>({ delay: rule }), delays(values));
  expect([run.failure, run.emitted.length]).toEqual([undefined, values.length]);
  return run.emitted.map(({ value }) => (value as Flight).delay);
};

/** What a band says by definition, of the values before. */
const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
const quantile = (values: readonly number[], q: number) => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
  return low + (high - low) * (at % 1);
};
const modelOf = (window: number, warmUp: number, judge: (before: readonly number[], x: number) => number) => {
  return (values: readonly number[]) =>
    values.map((x, i) => {
      const before = values.slice(Math.max(0, i - window), i);
      return before.length < warmUp ? x : judge(before, x);
    });
};
const within = (low: number, high: number, x: number) => (low < high ? Math.min(Math.max(x, low), high) : x);

const number = fc.integer({ min: -100, max: 100 });
const agrees = (rule: ClipRule, model: (values: readonly number[]) => number[]) =>
  fc.assert(
    fc.property(fc.array(number, { maxLength: 60 }), (values) => {
      const expected = model(values);
      clipped(rule, values).forEach((x, i) => {
        expect(x).toBeCloseTo(expected[i] as number, 9);
      });
    }),
    { numRuns: 60 },
  );

describe('clip', () => {
  const odd = [3, 1, 4, null, 1, Number.NaN, 5, 9, 1e300, 2, 6, -1e300, Number.POSITIVE_INFINITY, 5, 3, 5];
  it.each<[string, ClipRule]>([
    ['fixed', { min: 2, max: 5 }],
    ['zScore', { zScore: 1, warmUp: 3 }],
    ['iqr', { iqr: 1.5, window: 6, warmUp: 3 }],
    ['quantiles', { quantiles: [0.1, 0.9], window: 5 }],
    ['hampel', { hampel: 3, window: 5 }],
  ])('keeps the operator contract: %s', (_, rule) =>
    checkOperator(clip<Flight, 'off'>({ delay: rule }, { mark: 'off' }), delays(odd), { stateBytesMax: 200 }),
  );

  it('moves to fixed ends, of which one may be open', () => {
    expect(clipped({ min: 0, max: 10 }, [-1, 0, 5, 10, 11, null, Number.POSITIVE_INFINITY])).toEqual([
      0,
      0,
      5,
      10,
      10,
      null,
      10,
    ]);
    expect(clipped({ max: 10 }, [Number.NEGATIVE_INFINITY, 11])).toEqual([Number.NEGATIVE_INFINITY, 10]);
  });

  it.each<[string, ClipRule]>([
    ['zScore in its warm-up', { zScore: 3, warmUp: 8 }],
    ['zScore', { zScore: 3, warmUp: 2 }],
    ['iqr', { iqr: 1.5, window: 6, warmUp: 3 }],
  ])('keeps its bounds whatever is beyond 1e50: %s', (_, rule) => {
    const odd = [1e308, -1e308, 1e160, -1e160];
    const usual = Array.from({ length: 30 }, (_, i) => i % 5);
    expect(clipped(rule, [0, 1, 2, ...odd, ...usual, 100]).slice(7)).toEqual(
      clipped(rule, [0, 1, 2, ...usual, 100]).slice(3),
    );
  });

  it('iqr agrees with fences by definition', () =>
    agrees(
      { iqr: 1.5, window: 9, warmUp: 4 },
      modelOf(9, 4, (before, x) => {
        const [low, high] = [quantile(before, 0.25), quantile(before, 0.75)];
        return within(low - 1.5 * (high - low), high + 1.5 * (high - low), x);
      }),
    ));

  it('quantiles agree with the sorted window', () =>
    agrees(
      { quantiles: [0.2, 0.9], window: 12, warmUp: 1 },
      modelOf(12, 1, (before, x) => within(quantile(before, 0.2), quantile(before, 0.9), x)),
    ));

  it('hampel agrees with medians by definition', () =>
    agrees(
      { hampel: 2, window: 7 },
      modelOf(7, 7, (before, x) => {
        const median = quantile(before, 0.5);
        const spread =
          2 *
          1.4826 *
          quantile(
            before.map((v) => Math.abs(v - median)),
            0.5,
          );
        return spread === 0 || Math.abs(x - median) <= spread ? x : median;
      }),
    ));

  it('zScore agrees with two passes over what it learnt', () =>
    agrees({ zScore: 1.5, warmUp: 5 }, (values) => {
      const learnt: number[] = [];
      return values.map((x) => {
        const center = mean(learnt);
        const deviation = Math.sqrt(mean(learnt.map((v) => (v - center) ** 2)));
        const knows = learnt.length >= 5 && deviation > 0;
        learnt.push(knows ? within(center - 3 * deviation, center + 3 * deviation, x) : x);
        return knows ? within(center - 1.5 * deviation, center + 1.5 * deviation, x) : x;
      });
    }));

  it('hampel is that of the published example: bounds of -8.57 and 22.57', () => {
    // Leys et al., "Detecting outliers", Journal of Experimental Social Psychology 49 (2013).
    const published = [1, 3, 3, 6, 8, 10, 10, 1000];
    for (const [next, becomes] of [
      [22.56, 22.56],
      [22.58, 7],
      [-8.56, -8.56],
      [-8.58, 7],
    ] as const)
      expect(clipped({ hampel: 3, window: 8 }, [...published, next]).at(-1)).toBe(becomes);
  });

  it('fences are those of R for the quartiles of 25.5 and 42.5', () => {
    const ordered = [6, 7, 15, 36, 39, 40, 41, 42, 43, 47, 49];
    expect(clipped({ iqr: 1.5, window: 11 }, [...ordered, 70]).at(-1)).toBe(42.5 + 1.5 * 17);
    expect(clipped({ iqr: 1.5, window: 11 }, [...ordered, 60]).at(-1)).toBe(60);
  });

  it('a z-score follows a stream that has moved, and is not carried away by one value', () => {
    const random = generator(3);
    const around = (center: number, count: number) => Array.from({ length: count }, () => center + random() - 0.5);
    const outlier = clipped({ zScore: 4 }, [...around(0, 200), 1e9, ...around(0, 5), 1e9]);
    expect(outlier.filter((x) => (x as number) > 2)).toEqual([]);
    const moved = clipped({ zScore: 4 }, [...around(0, 100), ...around(10, 2_000)]);
    expect(moved.at(-1)).toBeGreaterThan(9);
  });

  it('clips nothing before the warm-up, nor while all values are equal', () => {
    expect(clipped({ zScore: 1 }, [...new Array(29).fill(0), 99])).toContain(99);
    for (const rule of [{ zScore: 1 }, { iqr: 1 }, { hampel: 1 }] satisfies ClipRule[])
      expect(clipped(rule, [...new Array(40).fill(5), 6]).at(-1)).toBe(6);
  });

  it('marks and counts what it clipped, and copies only that', () => {
    const whole = { value: { delay: 5, fuel: 5 } };
    const both = { value: { delay: 50, fuel: 50 } };
    const rules = { delay: { max: 10 }, fuel: { max: 20 } };
    const plain = driveOperator(clip<Flight>(rules), [whole, both]);
    expect(plain.emitted[0]?.value).toBe(whole.value);
    expect(plain.emitted[1]?.value).toEqual({ delay: 10, fuel: 20 });
    expect(both.value).toEqual({ delay: 50, fuel: 50 });
    expect(plain.counters).toEqual({ clipped: 2, 'clipped:delay': 1, 'clipped:fuel': 1 });
    const marked = driveOperator(clip<Flight, 'off'>(rules, { mark: 'off' }), [whole, both]);
    expect(marked.emitted.map(({ value }) => value)).toEqual([
      { delay: 5, fuel: 5, off: [] },
      { delay: 10, fuel: 20, off: ['delay', 'fuel'] },
    ]);
  });

  it('is described by its rules, and says what is wrong with them', () => {
    const all = clip<Record<string, number>, 'off'>(
      { a: { min: 1 }, b: { zScore: 3 }, c: { iqr: 1.5 }, d: { hampel: 3 }, e: { quantiles: [0.01, 0.99] } },
      { mark: 'off' },
    );
    expect(all.settings).toEqual({
      a: '1 to Infinity',
      b: 'zScore 3',
      c: 'iqr 1.5 of the last 1001',
      d: 'hampel 3 of the last 31',
      e: 'quantiles 0.01 to 0.99 of the last 1001',
      mark: 'off',
    });
    expect(all.problems).toEqual([]);
    const problems = (rule: ClipRule) => clip<Flight>({ delay: rule }).problems?.length;
    expect(problems({})).toBe(1);
    expect(problems({ min: 2, max: 1 })).toBe(1);
    expect(problems({ zScore: 0 })).toBe(1);
    expect(problems({ iqr: 1, window: 0.5 })).toBe(1);
    expect(problems({ hampel: 1, window: 3, warmUp: 4 })).toBe(1);
    expect(problems({ quantiles: [0.9, 0.1] })).toBe(1);
    expect(clip<Flight>({}).problems).toHaveLength(1);
    const atBounds: readonly ClipRule[] = [
      { min: 1, max: 1 },
      { zScore: 0.1, warmUp: 1 },
      { iqr: 0.1, window: 1 },
      { hampel: 1, window: 3, warmUp: 3 },
      { quantiles: [0, 1] },
    ];
    expect(atBounds.map(problems)).toEqual([0, 0, 0, 0, 0]);
    const beyond: readonly ClipRule[] = [
      { zScore: 1, warmUp: 0 },
      { iqr: 0 },
      { iqr: 1, window: 0 },
      { quantiles: [0.5, 0.5] },
      { quantiles: [-0.1, 0.5] },
      { quantiles: [0.5, 1.1] },
    ];
    expect(beyond.map(problems)).toEqual([1, 1, 1, 1, 1, 1]);
  });
});
