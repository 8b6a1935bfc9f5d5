import { addToBins, emptyBins, type LogBins, mappingFor, mergeBins, middleOf } from '../../aggregates/log-bins.js';
import { finish, hashString } from '../features/hash.js';
import type { Weighted } from './weighted.js';

/** How the values of a feature are distributed: plain data, which can be merged. */
export interface Distribution {
  /** Rows, those without a value too. */
  rows: number;
  missing: number;
  /** Of a feature of numbers. */
  readonly numbers: LogBins | null;
  /** Of a feature of categories: rows by name, as long as there are no more names than the limit. */
  readonly categories: Map<string, number> | null;
  /** Of a feature with more categories: rows by a hash of the name. Empty before. */
  readonly groups: number[];
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

/** Names of a distribution. */
export const CATEGORIES_MAX = 1_000;

/**
 * Groups of a feature with more categories. Which names are counted together depends on the names alone. If the first or the most frequent ones
 * were kept, each side would keep others, and two halves of the same rows would differ.
 */
export const GROUPS = 1_024;
const groupOf = (name: string): number => finish(hashString(name)) & (GROUPS - 1);

export const emptyDistribution = (feature: DistributionFeature<never>): Distribution => ({
  rows: 0,
  missing: 0,
  numbers: feature.number ? emptyBins() : null,
  categories: feature.number ? null : new Map(),
  groups: [],
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
  if (to.groups.length > 0) {
    addToGroup(to.groups, name, times);
    return;
  }
  const counts = to.categories as Map<string, number>;
  counts.set(name, (counts.get(name) ?? 0) + times);
  if (counts.size > CATEGORIES_MAX) giveNamesUp(to);
}

function addToGroup(groups: number[], name: string, times: number): void {
  const group = groupOf(name);
  groups[group] = (groups[group] as number) + times;
}

/** Gives the names up for their groups. */
function giveNamesUp(of: Distribution): void {
  of.groups.push(...groupsOf(of));
  of.categories?.clear();
}

/** The rows of each group of categories. */
export function groupsOf({ categories, groups }: Distribution): number[] {
  const counts = groups.length > 0 ? groups.slice() : new Array<number>(GROUPS).fill(0);
  for (const [name, rows] of categories ?? []) addToGroup(counts, name, rows);
  return counts;
}

/** Adds the rows of another distribution. */
export function mergeDistribution(to: Distribution, from: Distribution): void {
  to.rows += from.rows;
  to.missing += from.missing;
  if (to.numbers) mergeBins(to.numbers, from.numbers as LogBins);
  if (!to.categories) return;
  if (from.groups.length > 0 && to.groups.length === 0) giveNamesUp(to);
  from.groups.forEach((rows, i) => {
    to.groups[i] = (to.groups[i] as number) + rows;
  });
  for (const [name, rows] of from.categories as Map<string, number>) addCategory(to, name, rows);
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
