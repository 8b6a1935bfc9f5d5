import type { FeatureArray } from '../../../core/learner.js';
import {
  addToMoments,
  clearMoments,
  MOMENTS_SIZE,
  mergeMoments,
  subtractMoments,
  varianceOf,
} from '../../../util/moments.js';
import { type LeafFeatures, type TreeFeature, valueIn } from './leaf-features.js';
import { SplitSearch } from './split.js';

/** A bin: its greatest value, and the moments of the labels of its rows. */
const BIN = 1 + MOMENTS_SIZE;
/** Rows that both sides of a split must have. */
const ROWS_MIN = 5;
/** A bin with more than this many times its share of the rows is divided. */
const HEAVY = 2;

/** Numbers that the observations of `NumberStatistics` need. */
export const numberStatisticsWidth = (binsMax: number, features: LeafFeatures): number =>
  MOMENTS_SIZE + features.widthMax((feature) => widthOf(feature, binsMax));

const widthOf = ({ size }: TreeFeature, binsMax: number): number =>
  size > 0 ? size * MOMENTS_SIZE : 1 + binsMax * BIN;

/**
 * What an open leaf observes of numbers, as a record: the moments of its labels; then of each feature how many bins there are and the
 * bins by value, or the moments of each value of a category.
 *
 * A feature with at most `binsMax` values has a bin for each, as in an exhaustive search. With more, the two neighbours that have the
 * least rows together become one, so that the bins follow the quantiles of the feature, whatever its scale and its outliers are.
 * Source: the E-BST of Ikonomovska et al., "Learning model trees from evolving data streams", DMKD 23 (2011), bounded as the histograms
 * of Ben-Haim and Tom-Tov, "A streaming parallel decision tree algorithm", JMLR 11 (2010), but by rows instead of by distance.
 */
export class NumberStatistics {
  readonly search = new SplitSearch();
  /** The moments of the labels on both sides of the split in hand, and of the best one. */
  private readonly sides = new Float64Array(2 * MOMENTS_SIZE);
  private readonly ownSides = new Float64Array(2 * MOMENTS_SIZE);
  readonly bestSides = new Float64Array(2 * MOMENTS_SIZE);

  constructor(
    private readonly binsMax: number,
    private readonly features: LeafFeatures,
  ) {}

  /** The weight of the rows that were observed. */
  rowsOf(values: Float64Array, at: number): number {
    return values[at + this.features.head] as number;
  }

  learn(values: Float64Array, at: number, dense: FeatureArray, label: number, weight: number): void {
    const { features, binsMax } = this;
    const all = at + features.head;
    addToMoments(values, all, label, weight);
    let from = all + MOMENTS_SIZE;
    for (let n = 0; n < features.observed; n++) {
      const feature = features.feature(values, at, n);
      if (feature.size > 0) {
        const value = valueIn(dense, feature);
        if (value >= 0) addToMoments(values, from + value * MOMENTS_SIZE, label, weight);
      } else {
        const bin = this.binFor(values, from, dense[feature.at] as number, values[all] as number);
        addToMoments(values, bin + 1, label, weight);
      }
      from += widthOf(feature, binsMax);
    }
  }

  /** Finds the best split of a leaf, and divides its labels by it into `bestSides`. Says whether there is one. */
  findSplit(values: Float64Array, at: number): boolean {
    const { features, search, binsMax } = this;
    const all = at + features.head;
    search.begin();
    let from = all + MOMENTS_SIZE;
    for (let n = 0; n < features.observed; n++) {
      const feature = features.feature(values, at, n);
      if (feature.size > 0) this.tryValues(values, all, from, feature);
      else this.tryBins(values, all, from, feature);
      if (search.next()) this.bestSides.set(this.ownSides);
      from += widthOf(feature, binsMax);
    }
    return search.hasFound;
  }

  /** The bin for a value of a feature, with its own or with others. */
  private binFor(values: Float64Array, from: number, x: number, rows: number): number {
    const bins = values[from] as number;
    let low = 0;
    for (let high = bins; low < high; ) {
      const middle = (low + high) >>> 1;
      if ((values[from + 1 + middle * BIN] as number) < x) low = middle + 1;
      else high = middle;
    }
    const bin = from + 1 + low * BIN;
    const isWithin = low > 0 && low < bins;
    if (low < bins && values[bin] === x) return bin;
    const isFull = bins === this.binsMax;
    if (isFull && isWithin && (values[bin + 1] as number) * bins <= HEAVY * rows) return bin;
    if (!isFull) return this.insert(values, from, low, x);
    return this.insert(values, from, this.mergeLeast(values, from) < low ? low - 1 : low, x);
  }

  /** Makes a bin at an index, in front of the one that was there. */
  private insert(values: Float64Array, from: number, index: number, x: number): number {
    const bin = from + 1 + index * BIN;
    const bins = values[from] as number;
    values.copyWithin(bin + BIN, bin, from + 1 + bins * BIN);
    values[bin] = x;
    clearMoments(values, bin + 1);
    values[from] = bins + 1;
    return bin;
  }

  /** Merges the two neighbours with the least rows, and returns the index of both. */
  private mergeLeast(values: Float64Array, from: number): number {
    const bins = values[from] as number;
    let index = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0, bin = from + 1; i + 1 < bins; i++, bin += BIN) {
      const rows = (values[bin + 1] as number) + (values[bin + BIN + 1] as number);
      if (rows >= least) continue;
      least = rows;
      index = i;
    }
    const bin = from + 1 + index * BIN;
    mergeMoments(values, bin + BIN + 1, values, bin + 1);
    values.copyWithin(bin, bin + BIN, from + 1 + bins * BIN);
    values[from] = bins - 1;
    return index;
  }

  /** Each bin and all before it against those behind. */
  private tryBins(values: Float64Array, all: number, from: number, feature: TreeFeature): void {
    const { sides } = this;
    clearMoments(sides, 0);
    const bins = values[from] as number;
    for (let i = 0, bin = from + 1; i + 1 < bins; i++, bin += BIN) {
      mergeMoments(sides, 0, values, bin + 1);
      this.subtract(values, all, 0, MOMENTS_SIZE);
      this.offer(values, all, feature.at, values[bin] as number);
    }
  }

  /** Each value of a category against all others, as its coordinate is 1 or not. */
  private tryValues(values: Float64Array, all: number, from: number, feature: TreeFeature): void {
    const { sides } = this;
    for (let value = 0; value < feature.size; value++) {
      clearMoments(sides, MOMENTS_SIZE);
      mergeMoments(sides, MOMENTS_SIZE, values, from + value * MOMENTS_SIZE);
      this.subtract(values, all, MOMENTS_SIZE, 0);
      this.offer(values, all, feature.at + value, 0);
    }
  }

  /** Makes one side what all rows have beyond the other side. */
  private subtract(values: Float64Array, all: number, known: number, into: number): void {
    const { sides } = this;
    for (let i = 0; i < MOMENTS_SIZE; i++) sides[into + i] = values[all + i] as number;
    subtractMoments(sides, into, sides, known);
  }

  /** Offers the split that divides the labels into `sides`, by the variance that it takes away. */
  private offer(values: Float64Array, all: number, coordinate: number, threshold: number): void {
    const { sides, ownSides } = this;
    const left = sides[0] as number;
    const right = sides[MOMENTS_SIZE] as number;
    if (!(left >= ROWS_MIN && right >= ROWS_MIN)) return;
    const within = (left * varianceOf(sides, 0) + right * varianceOf(sides, MOMENTS_SIZE)) / (values[all] as number);
    if (this.search.offer(coordinate, threshold, varianceOf(values, all) - within)) ownSides.set(sides);
  }
}
