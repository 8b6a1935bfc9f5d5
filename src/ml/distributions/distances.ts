import type { LogBins } from '../../aggregates/log-bins.js';
import { chiSquared } from './chi-squared.js';
import { type Distribution, groupsOf, weightedOf } from './distribution.js';
import { jensenShannon } from './jensen-shannon.js';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.js';
import { psi } from './psi.js';
import { wasserstein } from './wasserstein.js';
import { totalOf, type Weighted } from './weighted.js';

/** A distance of two distributions, by its name. */
export type DistanceName = 'psi' | 'chiSquared' | 'jensenShannon' | 'kolmogorovSmirnov' | 'wasserstein';

/** How far a distribution is from its reference; null for what its kind does not have. */
export interface Distances {
  readonly psi: number | null;
  /** The statistic. */
  readonly chiSquared: number | null;
  readonly jensenShannon: number | null;
  readonly kolmogorovSmirnov: number | null;
  readonly wasserstein: number | null;
  /** Shares of rows without a value, of the reference and now. */
  readonly referenceMissing: number;
  readonly missing: number;
  /** The share of rows with a category that the reference does not have, and of reference rows with one that is gone. */
  readonly added: number | null;
  readonly gone: number | null;
}

/** Bins of a feature of numbers: each has about as many rows of the reference. */
const BINS = 10;

/** The counts of two distributions in the same bins; the last one is of rows without a value. */
interface Binned {
  readonly reference: number[];
  readonly now: number[];
}

/** Distances over bins, and those over numbers. */
const overBins = {
  psi,
  jensenShannon,
  chiSquared: (reference: ArrayLike<number>, now: ArrayLike<number>) => chiSquared(reference, now).statistic,
} as const;
const overNumbers = { kolmogorovSmirnov, wasserstein } as const;

const isOverBins = (name: DistanceName): name is keyof typeof overBins => name in overBins;

function binned(reference: Distribution, now: Distribution): Binned {
  const bins = reference.numbers
    ? binsOfNumbers(weightedOf(reference.numbers), weightedOf(now.numbers as LogBins))
    : binsOfCategories(reference, now);
  if (reference.missing + now.missing > 0) {
    bins.reference.push(reference.missing);
    bins.now.push(now.missing);
  }
  return bins;
}

function binsOfNumbers(reference: Weighted, now: Weighted): Binned {
  const all = totalOf(reference.weights);
  const edges: number[] = [];
  let upTo = 0;
  for (let i = 0; i < reference.values.length - 1; i++) {
    const before = upTo;
    upTo += reference.weights[i] as number;
    if (Math.floor((BINS * upTo) / all) > Math.floor((BINS * before) / all)) edges.push(reference.values[i] as number);
  }
  const count = ({ values, weights }: Weighted): number[] => {
    const counts = new Array<number>(edges.length + 1).fill(0);
    let bin = 0;
    for (let i = 0; i < values.length; i++) {
      while (bin < edges.length && (values[i] as number) > (edges[bin] as number)) bin += 1;
      counts[bin] = (counts[bin] as number) + (weights[i] as number);
    }
    return counts;
  };
  return { reference: count(reference), now: count(now) };
}

/** By name if both sides know their names, else by group. */
function binsOfCategories(reference: Distribution, now: Distribution): Binned {
  if (reference.groups.length + now.groups.length > 0) return { reference: groupsOf(reference), now: groupsOf(now) };
  const [a, b] = [reference.categories as Map<string, number>, now.categories as Map<string, number>];
  const names = [...new Set([...a.keys(), ...b.keys()])].sort();
  const of = (counts: Map<string, number>) => names.map((name) => counts.get(name) ?? 0);
  return { reference: of(a), now: of(b) };
}

/** The rows of one side, as a share, in bins that the other side does not have. */
function onlyIn(one: readonly number[], other: readonly number[]): number {
  const alone = one.reduce((sum, rows, i) => sum + (other[i] === 0 ? rows : 0), 0);
  return alone / totalOf(one);
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** All distances of a distribution from its reference. */
export function distancesOf(reference: Distribution, now: Distribution): Distances {
  const bins = binned(reference, now);
  const { numbers } = reference;
  const named = numbers ? undefined : binsOfCategories(reference, now);
  const [a, b] = [numbers && weightedOf(numbers), now.numbers && weightedOf(now.numbers)];
  const of = (name: keyof typeof overNumbers) => (a && b ? finite(overNumbers[name](a, b)) : null);
  const over = (name: keyof typeof overBins) => finite(overBins[name](bins.reference, bins.now));
  return {
    psi: over('psi'),
    chiSquared: over('chiSquared'),
    jensenShannon: over('jensenShannon'),
    kolmogorovSmirnov: of('kolmogorovSmirnov'),
    wasserstein: of('wasserstein'),
    referenceMissing: reference.missing / reference.rows,
    missing: now.missing / now.rows,
    added: named ? finite(onlyIn(named.now, named.reference)) : null,
    gone: named ? finite(onlyIn(named.reference, named.now)) : null,
  };
}

/** The counts of two distributions in the cells that a distance is made of, and the distance as a function of such counts. */
export function cellsOf(
  name: DistanceName,
  reference: Distribution,
  now: Distribution,
): {
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly distance: (a: ArrayLike<number>, b: ArrayLike<number>) => number;
} {
  if (isOverBins(name)) {
    const { reference: a, now: b } = binned(reference, now);
    return { a, b, distance: overBins[name] };
  }
  const [from, to] = [weightedOf(reference.numbers as LogBins), weightedOf(now.numbers as LogBins)];
  const values = [...new Set([...Array.from(from.values), ...Array.from(to.values)])].sort((x, y) => x - y);
  const countsOf = (of: Weighted): number[] => {
    const counts = new Map(Array.from(of.values, (value, i) => [value, of.weights[i] as number]));
    return values.map((value) => counts.get(value) ?? 0);
  };
  return {
    a: countsOf(from),
    b: countsOf(to),
    distance: (a, b) => overNumbers[name]({ values, weights: a }, { values, weights: b }),
  };
}
