import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distancesOf } from '../../../src/ml/distributions/distances.js';
import {
  addRow,
  CATEGORIES_MAX,
  type Distribution,
  type DistributionFeature,
  emptyDistribution,
  GROUPS,
  mergeDistribution,
  weightedOf,
} from '../../../src/ml/distributions/distribution.js';
import { distributionsOf, jensenShannon, kolmogorovSmirnov, wasserstein } from '../../../src/ml/distributions/index.js';
import { generator } from '../../random.js';
import { A, B, peers, weighted } from './peers.js';

const number: DistributionFeature<unknown> = { number: (x) => x as number };
const category: DistributionFeature<unknown> = { category: (x) => x as string };
function of(feature: DistributionFeature<unknown>, values: readonly unknown[]): Distribution {
  const distribution = emptyDistribution(feature as DistributionFeature<never>);
  for (const value of values) addRow(distribution, feature, value);
  return distribution;
}

describe('a distribution', () => {
  it('gives the distances of the numbers to 1 %', () => {
    for (const { a, b } of [...peers.numbers, { a: A, b: B }]) {
      const found = distancesOf(of(number, a), of(number, b));
      const spread = Math.max(...a, ...b.map(Math.abs), ...a.map(Math.abs));
      expect(Math.abs((found.wasserstein as number) - wasserstein(weighted(a), weighted(b)))).toBeLessThan(
        0.01 * spread,
      );
      // A number is known to 1 %: others that are nearer may be counted on the wrong side of it.
      const near = (x: number) => (y: number) => Math.abs(x - y) <= 0.02 * Math.max(Math.abs(x), Math.abs(y));
      const most = Math.max(
        ...[...a, ...b].map((x) => a.filter(near(x)).length / a.length + b.filter(near(x)).length / b.length),
      );
      const off = Math.abs((found.kolmogorovSmirnov as number) - kolmogorovSmirnov(weighted(a), weighted(b)));
      expect(off).toBeLessThanOrEqual(most);
    }
  });

  it('is the same in parts that are merged in any order', () => {
    const values = fc.array(
      fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constant(null), fc.constant(Number.NaN)),
    );
    const names = fc.array(fc.oneof(fc.constantFrom('a', 'b', '__proto__', ''), fc.constant(undefined)));
    const holds = (feature: DistributionFeature<unknown>, a: readonly unknown[], b: readonly unknown[]) => {
      const whole = of(feature, [...a, ...b]);
      const merged = of(feature, a);
      mergeDistribution(merged, of(feature, b));
      expect(merged).toEqual(whole);
      const turned = of(feature, b);
      mergeDistribution(turned, of(feature, a));
      expect({ ...turned, categories: turned.categories && new Map([...turned.categories].sort()) }).toEqual({
        ...whole,
        categories: whole.categories && new Map([...whole.categories].sort()),
      });
    };
    fc.assert(fc.property(values, values, (a, b) => holds(number, a, b)));
    fc.assert(fc.property(names, names, (a, b) => holds(category, a, b)));
  });

  it('is bounded, whatever comes', () => {
    const extremes = of(number, [1e-300, -1e-7, 1e300, Number.POSITIVE_INFINITY, -1e15, Number.NaN, 5]);
    expect(extremes).toMatchObject({ rows: 7, missing: 1 });
    const { values, weights } = weightedOf(extremes.numbers as NonNullable<Distribution['numbers']>);
    expect(weights).toEqual([1, 2, 1, 2]);
    expect([...(values as number[])].sort((a, b) => a - b)).toEqual(values);
    const many = of(category, [...Array(CATEGORIES_MAX).keys()].map(String));
    expect(many.categories?.size).toBe(CATEGORIES_MAX);
    expect(many.groups).toEqual([]);
    addRow(many, category, 'one more');
    expect(many.categories?.size).toBe(0);
    expect(many.groups).toHaveLength(GROUPS);
  });

  it('has the same groups of many categories, in whatever order and parts they come', () => {
    const next = generator(11);
    const values = Array.from({ length: 6_000 }, () => String(Math.floor(4_000 * next() ** 2)));
    const whole = of(category, values);
    expect(whole.groups.reduce((sum, rows) => sum + rows, 0)).toBe(values.length);
    expect(of(category, [...values].reverse())).toEqual(whole);
    // Parts of few and of many categories, merged in both directions.
    for (const at of [100, 1_500, 5_900]) {
      const parts = [values.slice(0, at), values.slice(at)].map((part) => of(category, part)) as [
        Distribution,
        Distribution,
      ];
      for (const [to, from] of [parts, [...parts].reverse()] as [Distribution, Distribution][]) {
        const merged = structuredClone(to);
        mergeDistribution(merged, from);
        expect(merged).toEqual(whole);
        expect(distancesOf(merged, to)).toEqual(distancesOf(whole, to));
      }
    }
  });

  it('tells rows without a value, and categories that are new or gone', () => {
    const found = distancesOf(of(category, ['a', 'a', 'b', null]), of(category, ['a', 'c', 'c', 'd']));
    expect(found).toMatchObject({ referenceMissing: 0.25, missing: 0, added: 0.75, gone: 1 / 3 });
    expect(found).toMatchObject({ kolmogorovSmirnov: null, wasserstein: null });
    expect(found.jensenShannon).toBeCloseTo(jensenShannon([2, 1, 0, 0, 1], [1, 0, 2, 1, 0]), 12);
    const missing = distancesOf(of(number, [1, 2, 3, 4]), of(number, [1, 2, null, null]));
    expect(missing).toMatchObject({ missing: 0.5, added: null, gone: null });
    expect(missing.psi).toBeGreaterThan(1);
  });

  it('has bins with about as many rows of the reference each', () => {
    const numbers = Array.from({ length: 1_000 }, (_, i) => Math.exp(i / 100));
    const same = distancesOf(of(number, numbers), of(number, numbers));
    expect(same).toMatchObject({ psi: 0, chiSquared: 0, jensenShannon: 0, kolmogorovSmirnov: 0, wasserstein: 0 });
    const upper = distancesOf(of(number, numbers), of(number, numbers.slice(500)));
    expect(upper.kolmogorovSmirnov).toBeCloseTo(0.5, 1);
    expect(upper.jensenShannon).toBeCloseTo(jensenShannon([1, 1], [0, 1]), 1);
  });
});

it('tells a slice that is called other from those beyond the limit', () => {
  const rows = ['other', 'a', 'b', 'other', 'c'].map((s) => ({ s, x: 1 }));
  const found = distributionsOf(rows, {
    features: { x: { number: ({ x }) => x } },
    slices: { s: ({ s }: { s: string }) => s },
    slicesMax: 2,
  });
  expect([...found.slices].map(([key, { features }]) => [key, features[0]?.rows])).toEqual([
    ['all|', 5],
    ["s|'other'", 2],
    ['s|a', 1],
    ['s|other', 2],
  ]);
});
