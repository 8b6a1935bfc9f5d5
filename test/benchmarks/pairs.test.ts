import { describe, expect, it } from 'vitest';
import { measurePairs, spreadOf } from '../../benchmarks/pairs.js';

describe('measurePairs', () => {
  it('alternates, and leaves warm-ups out', async () => {
    const order: string[] = [];
    const contestant = (name: string, records: number) => ({
      name,
      work: () => {
        order.push(name);
        return records;
      },
    });
    const { runs } = await measurePairs([contestant('a', 1), contestant('b', 2)], { pairs: 3, warmUps: 2 });
    expect(order.join('')).toBe('ababababab');
    expect(Object.fromEntries(Object.entries(runs).map(([name, list]) => [name, list.length]))).toEqual({ a: 3, b: 3 });
  });

  it('takes the ratio pair by pair, not of the medians', async () => {
    const { ratio, runs } = await measurePairs([
      { name: 'a', work: () => 1_000 },
      { name: 'b', work: () => 1_000 },
    ]);
    const rates = ['a', 'b'].map((name) => (runs[name] ?? []).map(({ records, seconds }) => records / seconds));
    const expected = (rates[1] ?? []).map((rate, index) => rate / (rates[0]?.[index] ?? Number.NaN));
    expect(ratio).toEqual(spreadOf(expected));
  });

  it('refuses a contestant that did nothing', async () => {
    const idle = { name: 'a', work: () => 0 };
    await expect(measurePairs([idle, { name: 'b', work: () => 1 }])).rejects.toThrow('a did nothing');
  });
});

describe('spreadOf', () => {
  it('gives the middle one, or the mean of the middle two', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, low: 1, high: 9 });
    expect(spreadOf([4, 1, 9, 2])).toEqual({ median: 3, low: 1, high: 9 });
    expect(spreadOf([7])).toEqual({ median: 7, low: 7, high: 7 });
  });
});
