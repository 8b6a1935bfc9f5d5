import { describe, expect, it } from 'vitest';
import { type DistanceName, distancesOf } from '../../../src/ml/distributions/distances.js';
import { addRow, type DistributionFeature, emptyDistribution } from '../../../src/ml/distributions/distribution.js';
import { nullThreshold } from '../../../src/ml/distributions/null-threshold.js';
import { generator } from '../../random.js';

const number: DistributionFeature<number> = { number: (x) => x };
const category: DistributionFeature<number> = { category: (x) => Math.floor(x) };
const of = (feature: DistributionFeature<number>, values: readonly number[]) => {
  const distribution = emptyDistribution(feature as DistributionFeature<never>);
  for (const value of values) addRow(distribution, feature, value);
  return distribution;
};
const sample = (next: () => number, rows: number): number[] =>
  Array.from({ length: rows }, () => 100 * next() ** 3 - 3);

describe('nullThreshold', () => {
  it.each([
    ['kolmogorovSmirnov', number],
    ['wasserstein', number],
    ['psi', number],
    ['jensenShannon', category],
    ['chiSquared', category],
  ] as const)('is exceeded by %s about once in 1,000 times by chance, and by a change always', (name, feature) => {
    const next = generator(7);
    const own = (values: readonly number[]) => of(feature as DistributionFeature<number>, values);
    const pool = sample(next, 1_400);
    const at = (rows: readonly number[]) => [own(rows.slice(0, 1_000)), own(rows.slice(1_000))] as const;
    const threshold = nullThreshold(name as DistanceName, ...at(pool));
    let alarms = 0;
    for (let i = 0; i < 300; i++) {
      const order = pool.map((value) => [next(), value] as const).sort(([a], [b]) => a - b);
      const distance = distancesOf(...at(order.map(([, value]) => value)))[name as DistanceName] as number;
      expect(distance).toBeGreaterThan(0);
      if (distance > threshold) alarms += 1;
    }
    expect(alarms).toBeLessThanOrEqual(2);
    const moved = at([...pool.slice(0, 1_000), ...pool.slice(1_000).map((x) => 1.4 * x + 2)]);
    expect(distancesOf(...moved)[name as DistanceName]).toBeGreaterThan(nullThreshold(name as DistanceName, ...moved));
  });

  it.each(['jensenShannon', 'chiSquared'] as const)('holds for thousands of categories by %s', (name) => {
    const next = generator(5);
    const feature: DistributionFeature<number> = { category: (x) => Math.floor(100 * x) };
    const pool = sample(next, 8_000);
    const at = (rows: readonly number[]) =>
      [of(feature, rows.slice(0, 6_000)), of(feature, rows.slice(6_000))] as const;
    const threshold = nullThreshold(name, ...at(pool));
    let alarms = 0;
    for (let i = 0; i < 100; i++) {
      const order = pool.map((value) => [next(), value] as const).sort(([a], [b]) => a - b);
      const [reference, now] = at(order.map(([, value]) => value));
      expect(reference.groups.length).toBeGreaterThan(0);
      if ((distancesOf(reference, now)[name] as number) > threshold) alarms += 1;
    }
    expect(alarms).toBeLessThanOrEqual(1);
    // One value is more frequent than it was: 6 rows of 100.
    const moved = at([...pool.slice(0, 6_000), ...pool.slice(6_000).map((x, i) => (i % 16 === 0 ? 1_000 : x))]);
    expect(distancesOf(...moved)[name]).toBeGreaterThan(nullThreshold(name, ...moved));
  });

  it('falls with rows, and is the same each time', () => {
    const next = generator(3);
    const reference = of(number, sample(next, 5_000));
    const at = (rows: number) => nullThreshold('kolmogorovSmirnov', reference, of(number, sample(generator(4), rows)));
    expect(at(1_000)).toBe(at(1_000));
    expect(at(100)).toBeGreaterThan(2 * at(1_000));
    // The limit of Kolmogorov's distribution: 1.95 roots of 1/n + 1/m.
    expect(at(2_000) / Math.sqrt(1 / 5_000 + 1 / 2_000)).toBeGreaterThan(1.6);
    expect(at(2_000) / Math.sqrt(1 / 5_000 + 1 / 2_000)).toBeLessThan(2.4);
  });
});
