import { DDSketch } from '@datadog/sketches-js';

/** Counts of the bins that have values, sorted by bin. Plain data, so that a checkpoint can store it. */
export interface LogBins {
  /** Bins of the absolute values of negative values, and their counts. */
  readonly below: number[];
  readonly belowCounts: number[];
  zeros: number;
  readonly above: number[];
  readonly aboveCounts: number[];
  count: number;
}

export const emptyBins = (): LogBins => ({
  below: [],
  belowCounts: [],
  zeros: 0,
  above: [],
  aboveCounts: [],
  count: 0,
});

/** The mapping of values to bins. Its own declaration would bring those of DDSketch to users, and they have errors. */
export interface Mapping {
  readonly minPossible: number;
  key(value: number): number;
  value(bin: number): number;
}

/** DDSketch's mapping: the middle of a bin is within the relative `error` of all of its values. */
export const mappingFor = (error: number): Mapping => new DDSketch({ relativeAccuracy: error }).mapping;

/** The middle of a bin. That of the last one is more than a number can be. */
export const middleOf = (mapping: Mapping, bin: number): number => Math.min(mapping.value(bin), Number.MAX_VALUE);

/** Adds a value `times` times; a negative number retracts it. */
export function addToBins(bins: LogBins, mapping: Mapping, value: number, times: number): void {
  addToBin(bins, binOf(mapping, value), value, times);
}

/** The bin of the absolute value; NaN for what counts as zero. */
export const binOf = (mapping: Mapping, value: number): number => {
  const size = Math.abs(value);
  return size > mapping.minPossible ? mapping.key(size) : Number.NaN;
};

/** Adds a value whose bin is known. */
export function addToBin(bins: LogBins, bin: number, value: number, times: number): void {
  bins.count += times;
  if (Number.isNaN(bin)) bins.zeros += times;
  else if (value > 0) bump(bins.above, bins.aboveCounts, bin, times);
  else bump(bins.below, bins.belowCounts, bin, times);
}

export function mergeBins(into: LogBins, from: LogBins): void {
  into.count += from.count;
  into.zeros += from.zeros;
  from.above.forEach((bin, i) => {
    bump(into.above, into.aboveCounts, bin, from.aboveCounts[i] as number);
  });
  from.below.forEach((bin, i) => {
    bump(into.below, into.belowCounts, bin, from.belowCounts[i] as number);
  });
}

/** The value at a quantile: of `count` sorted values the one at the index `q * (count - 1)`, rounded down. */
export function quantileOf(bins: LogBins, mapping: Mapping, q: number): number | null {
  const { count, below, belowCounts, zeros, above, aboveCounts } = bins;
  if (count === 0) return null;
  let before = Math.floor(q * (count - 1));
  for (let i = below.length - 1; i >= 0; i--) {
    before -= belowCounts[i] as number;
    if (before < 0) return -middleOf(mapping, below[i] as number);
  }
  before -= zeros;
  if (before < 0) return 0;
  for (let i = 0; i < above.length; i++) {
    before -= aboveCounts[i] as number;
    if (before < 0) return middleOf(mapping, above[i] as number);
  }
  return above.length > 0 ? middleOf(mapping, above.at(-1) as number) : 0;
}

function bump(bins: number[], counts: number[], bin: number, times: number): void {
  let low = 0;
  let high = bins.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bins[middle] as number) < bin) low = middle + 1;
    else high = middle;
  }
  if (bins[low] !== bin) {
    bins.splice(low, 0, bin);
    counts.splice(low, 0, times);
    return;
  }
  counts[low] = (counts[low] as number) + times;
  if (counts[low] !== 0) return;
  bins.splice(low, 1);
  counts.splice(low, 1);
}
