import { addToBins, emptyBins, type LogBins, mappingFor, mergeBins, middleOf } from '../../aggregates/log-bins.js';
import type { Weighted } from './weighted.js';

/** How the values of a feature are distributed: plain data, which can be merged. */
export interface Distribution {
  /** Rows, those without a value too. */
  rows: number;
  missing: number;
  /** Of a feature of numbers. */
  readonly numbers: LogBins | null;
  /** Of a feature of categories, and the rows of those beyond the limit. */
  readonly categories: Map<string, number> | null;
  other: number;
}

/** What a feature is: how to read its number or its category from a row. Null, undefined and NaN are missing. */
export type DistributionFeature<T> = {
  /** How much it counts beside other features, such as how much the model uses it; 1 by default. */
  readonly importance?: number;
} & (
  | { readonly number: (row: T) => number | null | undefined; readonly category?: undefined }
  | { readonly category: (row: T) => string | number | boolean | null | undefined; readonly number?: undefined }
);

/** Numbers nearer to 0 count as 0; those farther away count as this. So a sketch has at most 4,146 bins. */
const LEAST = 1e-6;
const MOST = 1e12;

/** Values of a bin differ by 2 % at most. */
const mapping = mappingFor(0.01);

/** Categories of a distribution; the rows of all others are counted together. */
export const CATEGORIES_MAX = 1_000;

export const emptyDistribution = (feature: DistributionFeature<never>): Distribution => ({
  rows: 0,
  missing: 0,
  numbers: feature.number ? emptyBins() : null,
  categories: feature.number ? null : new Map(),
  other: 0,
});

/** Adds a row. */
export function addRow<T>(to: Distribution, feature: DistributionFeature<T>, row: T): void {
  to.rows += 1;
  const value = feature.number ? feature.number(row) : feature.category(row);
  if (value === null || value === undefined || Number.isNaN(value)) {
    to.missing += 1;
    return;
  }
  if (to.numbers) {
    const x = value as number;
    addToBins(to.numbers, mapping, Math.abs(x) < LEAST ? 0 : Math.max(-MOST, Math.min(MOST, x)), 1);
  } else addCategory(to, String(value), 1);
}

function addCategory(to: Distribution, name: string, times: number): void {
  const counts = to.categories as Map<string, number>;
  const known = counts.get(name);
  if (known === undefined && counts.size >= CATEGORIES_MAX) to.other += times;
  else counts.set(name, (known ?? 0) + times);
}

/** Adds the rows of another distribution. Of more categories than the limit the most frequent ones stay. */
export function mergeDistribution(to: Distribution, from: Distribution): void {
  to.rows += from.rows;
  to.missing += from.missing;
  to.other += from.other;
  if (to.numbers) mergeBins(to.numbers, from.numbers as LogBins);
  const { categories } = to;
  if (!categories) return;
  for (const [name, times] of from.categories as Map<string, number>)
    categories.set(name, (categories.get(name) ?? 0) + times);
  if (categories.size <= CATEGORIES_MAX) return;
  const sorted = [...categories].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  for (const [name, times] of sorted.slice(CATEGORIES_MAX)) {
    categories.delete(name);
    to.other += times;
  }
}

/** The numbers of a distribution, each the middle of its bin. */
export function weightedOf({ below, belowCounts, zeros, above, aboveCounts }: LogBins): Weighted {
  const values: number[] = [];
  const weights: number[] = [];
  for (let i = below.length - 1; i >= 0; i--) {
    values.push(-middleOf(mapping, below[i] as number));
    weights.push(belowCounts[i] as number);
  }
  if (zeros > 0) {
    values.push(0);
    weights.push(zeros);
  }
  above.forEach((bin, i) => {
    values.push(middleOf(mapping, bin));
    weights.push(aboveCounts[i] as number);
  });
  return { values, weights };
}
