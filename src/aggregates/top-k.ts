import { type Aggregate, isMissing, ofValue } from './aggregate.js';

/** A frequent value: it occurred at least `count - error` and at most `count` times. */
export interface Frequent<V> {
  readonly value: V;
  readonly count: number;
  readonly error: number;
}

/** Options of `topK`. */
export interface TopKOptions {
  /** The number of counters; eight times `k`, and at least 64, by default. */
  readonly counters?: number;
}

/** Parallel lists, in the order in which values got their counters. */
interface Counters<V> {
  readonly values: V[];
  readonly counts: number[];
  readonly errors: number[];
}

/**
 * The `k` most frequent values, the most frequent first, and equally frequent ones in ascending order. Null, undefined and NaN are ignored.
 *
 * @example
 * const aggregates = { busiest: topK((flight: { origin: string }) => flight.origin, 10) };
 *
 * Exact if there are at most `counters` distinct values. Otherwise a count is too high by at most the number of records divided by
 * `counters`; `error` states the bound of each. Cannot retract. Memory: `counters` values.
 * Source: Space-Saving (Metwally, Agrawal and El Abbadi, 2005), merged as in Agarwal et al., "Mergeable summaries" (2012).
 */
export function topK<In, V extends string | number>(
  of: (value: In) => V | null | undefined,
  k: number,
  options: TopKOptions = {},
): Aggregate<In, readonly Frequent<V>[]> {
  const { counters = Math.max(64, 8 * k) } = options;
  const problem = {
    message: `the top ${k} of ${counters} counters`,
    hint: 'give `k` a positive integer, and `counters` at least as many',
  };
  const sane = Number.isInteger(k) && k >= 1 && Number.isInteger(counters) && counters >= k;
  return ofValue<In, Counters<V>, readonly Frequent<V>[]>(
    'top-k',
    `top ${k} by ${counters} counters`,
    {
      create: () => ({ values: [], counts: [], errors: [] }),
      add(held, value) {
        const next = of(value);
        if (!isMissing(next)) countOne(held, next, counters);
        return held;
      },
      merge: (held, other) => merged(held, other, counters),
      result: (held) => inOrder(held).slice(0, k),
    },
    sane ? [] : [problem],
  );
}

function countOne<V>({ values, counts, errors }: Counters<V>, value: V, max: number): void {
  const at = values.indexOf(value);
  if (at >= 0) {
    counts[at] = (counts[at] as number) + 1;
  } else if (values.length < max) {
    values.push(value);
    counts.push(1);
    errors.push(0);
  } else {
    const least = placeOfLeast(counts);
    values[least] = value;
    errors[least] = counts[least] as number;
    counts[least] = (counts[least] as number) + 1;
  }
}

/** A value that one side does not have may have occurred there as often as its smallest counter. */
function merged<V extends string | number>(a: Counters<V>, b: Counters<V>, max: number): Counters<V> {
  const unseenInA = a.values.length < max ? 0 : (a.counts[placeOfLeast(a.counts)] as number);
  const unseenInB = b.values.length < max ? 0 : (b.counts[placeOfLeast(b.counts)] as number);
  const all: Counters<V> = {
    values: [...a.values],
    counts: a.counts.map((count) => count + unseenInB),
    errors: a.errors.map((error) => error + unseenInB),
  };
  b.values.forEach((value, i) => {
    const [count, error] = [b.counts[i] as number, b.errors[i] as number];
    const at = a.values.indexOf(value);
    if (at < 0) {
      all.values.push(value);
      all.counts.push(count + unseenInA);
      all.errors.push(error + unseenInA);
    } else {
      all.counts[at] = (a.counts[at] as number) + count;
      all.errors[at] = (a.errors[at] as number) + error;
    }
  });
  if (all.values.length <= max) return all;
  const kept = inOrder(all).slice(0, max);
  return {
    values: kept.map(({ value }) => value),
    counts: kept.map(({ count }) => count),
    errors: kept.map(({ error }) => error),
  };
}

function inOrder<V extends string | number>({ values, counts, errors }: Counters<V>): Frequent<V>[] {
  return values
    .map((value, i) => ({ value, count: counts[i] as number, error: errors[i] as number }))
    .sort((a, b) => b.count - a.count || byValue(a.value, b.value));
}

function byValue(a: string | number, b: string | number): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function placeOfLeast(counts: readonly number[]): number {
  let least = 0;
  for (let i = 1; i < counts.length; i++) if ((counts[i] as number) < (counts[least] as number)) least = i;
  return least;
}
