import type { FeatureArray } from '../../../core/learner.js';
import { normalCdf } from '../../../util/normal.js';
import { type LeafFeatures, type TreeFeature, valueIn } from './leaf-features.js';
import { SplitSearch } from './split.js';

/** Numbers kept of a numeric feature and a class: mean, sum of squared deviations, least and greatest value. */
const GAUSSIAN = 4;
/** Thresholds tried of a numeric feature, at equal distances between its least and its greatest value. */
const TRIED = 10;
/** Both sides of a split must have more than this share of the rows. */
const SHARE_MIN = 0.01;
/** A smaller sum of squared deviations is none. */
const SPREAD_MIN = 1e-100;
const HALF_LOG_TAU = Math.log(2 * Math.PI) / 2;

/** The entropy of some weights, in bits. */
function entropy(weights: Float64Array): number {
  let sum = 0;
  let total = 0;
  for (let c = 0; c < weights.length; c++) {
    const weight = weights[c] as number;
    if (weight <= 0) continue;
    sum += weight * Math.log2(weight);
    total += weight;
  }
  return total > 0 ? Math.log2(total) - sum / total : 0;
}

function sumOf(weights: Float64Array): number {
  let sum = 0;
  for (let c = 0; c < weights.length; c++) sum += weights[c] as number;
  return sum;
}

/** Numbers that the observations of `classStatistics` need. */
export const classStatisticsWidth = (classes: number, features: LeafFeatures): number =>
  classes + classes * features.widthMax(({ size }) => size || GAUSSIAN);

/**
 * What an open leaf observes of classes, as a record of numbers: the weight of the rows of each class; then of each feature and
 * class a Gaussian, or the weights of the values of a category. Naive Bayes and splits follow from it.
 */
export class ClassStatistics {
  /** The weights of the classes on both sides of the split in hand. */
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly search = new SplitSearch();

  constructor(
    private readonly classes: number,
    private readonly features: LeafFeatures,
  ) {
    this.left = new Float64Array(classes);
    this.right = new Float64Array(classes);
  }

  /** Takes in a row of class `c`. Only splits ask for ranges. */
  learn(values: Float64Array, at: number, dense: FeatureArray, c: number, weight: number, withRanges: boolean): void {
    const { classes, features } = this;
    const rowsOf = at + features.head;
    const before = values[rowsOf + c] as number;
    const rows = before + weight;
    values[rowsOf + c] = rows;
    let from = rowsOf + classes;
    for (let n = 0; n < features.observed; n++) {
      const feature = features.feature(values, at, n);
      if (feature.size > 0) {
        const value = valueIn(dense, feature);
        if (value >= 0) values[from + value * classes + c] = (values[from + value * classes + c] as number) + weight;
        from += feature.size * classes;
        continue;
      }
      const x = dense[feature.at] as number;
      const gaussian = from + GAUSSIAN * c;
      const mean = values[gaussian] as number;
      const moved = mean + ((x - mean) * weight) / rows;
      values[gaussian] = moved;
      values[gaussian + 1] = (values[gaussian + 1] as number) + weight * (x - mean) * (x - moved);
      from += GAUSSIAN * classes;
      if (!withRanges) continue;
      if (before === 0 || x < (values[gaussian + 2] as number)) values[gaussian + 2] = x;
      if (before === 0 || x > (values[gaussian + 3] as number)) values[gaussian + 3] = x;
    }
  }

  /** Sets the least and greatest values of a leaf to 0. */
  clearRanges(values: Float64Array, at: number): void {
    const { classes, features } = this;
    let from = at + features.head + classes;
    for (let n = 0; n < features.observed; n++) {
      const { size } = features.feature(values, at, n);
      if (size === 0)
        for (let c = 0; c < classes; c++) values.fill(0, from + GAUSSIAN * c + 2, from + GAUSSIAN * (c + 1));
      from += (size || GAUSSIAN) * classes;
    }
  }

  /**
   * Adds to each class the logarithm of how likely the row is in it. A number that does not vary in a class says nothing; a value
   * of a category counts one row more than it had.
   */
  addLogLikelihoods(values: Float64Array, at: number, dense: FeatureArray, scores: Float64Array): void {
    const { classes, features } = this;
    const rowsOf = at + features.head;
    for (let c = 0; c < classes; c++) {
      const rows = values[rowsOf + c] as number;
      let sum = 0;
      let squares = 0;
      let numbers = 0;
      // The product of spreads: one logarithm for many features, as it costs more than all the rest.
      let spreads = 1;
      let from = rowsOf + classes;
      for (let n = 0; n < features.observed; n++) {
        const feature = features.feature(values, at, n);
        if (feature.size > 0) {
          const value = valueIn(dense, feature);
          if (value >= 0) sum += Math.log(((values[from + value * classes + c] as number) + 1) / (rows + feature.size));
          from += feature.size * classes;
          continue;
        }
        const gaussian = from + GAUSSIAN * c;
        from += GAUSSIAN * classes;
        const spread = values[gaussian + 1] as number;
        if (rows <= 1 || spread < SPREAD_MIN) continue;
        const off = (dense[feature.at] as number) - (values[gaussian] as number);
        squares += (off * off) / spread;
        numbers++;
        spreads *= spread;
        if (spreads > SPREAD_MIN && spreads < 1 / SPREAD_MIN) continue;
        sum -= Math.log(spreads) / 2;
        spreads = 1;
      }
      if (numbers > 0)
        sum += numbers * (Math.log(rows - 1) / 2 - HALF_LOG_TAU) - (Math.log(spreads) + squares * (rows - 1)) / 2;
      scores[c] = (scores[c] as number) + sum;
    }
  }

  /**
   * Finds the best split of a leaf whose classes have these weights, and divides the classes by it into `left` and `right`. Says
   * whether there is one. Its merit may be below 0: the leaf has its weights from a parent, too, and what it observes may differ.
   */
  findSplit(values: Float64Array, at: number, weights: Float64Array): boolean {
    const { classes, features, search } = this;
    const { best } = search;
    const rowsOf = at + features.head;
    const before = entropy(weights);
    search.begin();
    let from = rowsOf + classes;
    let bestFrom = 0;
    let bestSize = 0;
    for (let n = 0; n < features.observed; n++) {
      const feature = features.feature(values, at, n);
      if (feature.size > 0) this.tryValues(values, rowsOf, from, feature, before);
      else this.tryThresholds(values, rowsOf, from, feature, before);
      if (search.next()) {
        bestFrom = from + (best.coordinate - feature.at) * classes;
        bestSize = feature.size;
      }
      from += (feature.size || GAUSSIAN) * classes;
    }
    if (!search.hasFound) return false;
    if (bestSize > 0) this.divideByValue(values, rowsOf, bestFrom);
    else this.divideByThreshold(values, rowsOf, bestFrom, best.threshold);
    return true;
  }

  /** Each value of a category against all others, as its coordinate is 1 or not. */
  private tryValues(values: Float64Array, rowsOf: number, from: number, feature: TreeFeature, before: number): void {
    for (let value = 0; value < feature.size; value++) {
      this.divideByValue(values, rowsOf, from + value * this.classes);
      this.offer(before, feature.at + value, 0);
    }
  }

  private tryThresholds(
    values: Float64Array,
    rowsOf: number,
    from: number,
    feature: TreeFeature,
    before: number,
  ): void {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < this.classes; c++) {
      if (values[rowsOf + c] === 0) continue;
      low = Math.min(low, values[from + GAUSSIAN * c + 2] as number);
      high = Math.max(high, values[from + GAUSSIAN * c + 3] as number);
    }
    const step = (high - low) / (TRIED + 1);
    for (let i = 1; i <= TRIED; i++) {
      const threshold = low + step * i;
      if (!(threshold > low && threshold < high)) continue;
      this.divideByThreshold(values, rowsOf, from, threshold);
      this.offer(before, feature.at, threshold);
    }
  }

  private divideByValue(values: Float64Array, rowsOf: number, from: number): void {
    for (let c = 0; c < this.classes; c++) {
      this.right[c] = values[from + c] as number;
      this.left[c] = (values[rowsOf + c] as number) - (values[from + c] as number);
    }
  }

  private divideByThreshold(values: Float64Array, rowsOf: number, from: number, threshold: number): void {
    for (let c = 0; c < this.classes; c++) {
      const rows = values[rowsOf + c] as number;
      const gaussian = from + GAUSSIAN * c;
      const spread = values[gaussian + 1] as number;
      let below = 0;
      if (threshold >= (values[gaussian + 3] as number)) below = rows;
      else if (threshold >= (values[gaussian + 2] as number) && rows > 1 && spread >= SPREAD_MIN)
        below = rows * normalCdf((threshold - (values[gaussian] as number)) / Math.sqrt(spread / (rows - 1)));
      this.left[c] = below;
      this.right[c] = rows - below;
    }
  }

  /** Offers the split that divides the classes into `left` and `right`. */
  private offer(before: number, coordinate: number, threshold: number): void {
    const { left, right } = this;
    const below = sumOf(left);
    const above = sumOf(right);
    const total = below + above;
    if (!(below > SHARE_MIN * total && above > SHARE_MIN * total)) return;
    this.search.offer(coordinate, threshold, before - (below * entropy(left) + above * entropy(right)) / total);
  }
}
