import { describe, expect, it } from 'vitest';
import { autoscaler, proposed } from './autoscaler.js';

const behind = (value: number | undefined) => ({ value, target: 5, type: 'Value' as const });
const rate = (value: number | undefined) => ({ value, target: 3_500, type: 'AverageValue' as const });

describe('what metrics propose', () => {
  it.each([
    ['in proportion to a value', 1, [behind(40)], 8],
    ['as many as have the target each', 6, [rate(20_000)], 6],
    ['fewer, rounded up', 6, [rate(6_500)], 2],
    ['the most that one of them proposes', 6, [behind(0.3), rate(6_500)], 2],
    ['the same, when a value is a tenth off', 4, [behind(5.49)], 4],
    ['one more, beyond that', 4, [behind(5.6)], 5],
    ['the same, when a rate is a tenth off', 4, [rate(15_300)], 4],
    ['not fewer while one is unknown', 6, [behind(undefined), rate(6_500)], 6],
    ['more although one is unknown', 2, [behind(undefined), rate(20_000)], 6],
    ['the same while nothing is known', 3, [behind(undefined), rate(undefined)], 3],
    ['none at rest', 3, [behind(0), rate(0)], 0],
  ])('%s', (_, current, metrics, count) => expect(proposed(current, metrics)).toBe(count));
});

describe('the decision', () => {
  const options = { min: 1, max: 6, upWindowMs: 10_000, downWindowMs: 30_000 };
  /** Every five seconds. */
  const decisions = (from: number, values: readonly (readonly [behind: number, rate: number])[], at = options) => {
    const decide = autoscaler(at);
    let current = from;
    return values.map(([seconds, records], index) => {
      current = decide(current, [behind(seconds), rate(records)], index * 5_000);
      return current;
    });
  };

  it('adds processes at once at the start, four in fifteen seconds, up to the limit', () => {
    const late = [40, 5_000] as const;
    expect(decisions(1, [late, late, late, late, late])).toEqual([5, 5, 5, 6, 6]);
    expect(decisions(1, [late, late, late, late, late], { ...options, max: 30 })).toEqual([5, 5, 5, 10, 10]);
  });

  it('does not follow a peak that is shorter than the window', () => {
    const calm = [0.5, 6_500] as const;
    expect(decisions(2, [calm, [30, 3_000], calm, calm])).toEqual([2, 2, 2, 2]);
    expect(decisions(2, [calm, [30, 3_000], [30, 3_000], [30, 3_000]])).toEqual([2, 2, 2, 6]);
  });

  it('takes processes away only after the window, and never below the least', () => {
    const calm = [0.5, 6_500] as const;
    expect(decisions(6, [[0.5, 20_000], ...Array.from({ length: 8 }, () => calm)])).toEqual([
      6, 6, 6, 6, 6, 6, 6, 2, 2,
    ]);
    expect(
      decisions(
        2,
        Array.from({ length: 3 }, () => [0, 0] as const),
      ),
    ).toEqual([1, 1, 1]);
  });
});
