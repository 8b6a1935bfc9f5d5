import type { FeatureArray, FeatureShape } from '../../../core/learner.js';
import { normalCdf } from '../../../util/normal.js';

/** What a leaf may split on: a dense number, or a category of `size` places. */
interface TreeFeature {
  readonly at: number;
  /** Number of values; 0 for a number. */
  readonly size: number;
}

/** A split: rows whose feature at `place` is at most `threshold` go left. */
export interface Split {
  place: number;
  threshold: number;
  /** Bits of information that it gains. */
  merit: number;
}

/** Numbers kept of a numeric feature and a class: mean, sum of squared deviations, least and greatest value. */
const GAUSSIAN = 4;
/** Thresholds tried of a numeric feature, at equal distances between its least and its greatest value. */
const TRIED = 10;
/** Both sides of a split must have more than this share of the rows. */
const SHARE_MIN = 0.01;
/** A smaller sum of squared deviations is none. */
const SPREAD_MIN = 1e-100;
/** The merit of a split that does not exist. */
const NONE = Number.NEGATIVE_INFINITY;
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

/** The features of a shape: numbers, and categories as one each. */
export function treeFeatures({ denseSize, categories = [] }: FeatureShape): readonly TreeFeature[] {
  const features: TreeFeature[] = [];
  for (let at = 0; at < denseSize; ) {
    const feature = categories.find((category) => category.at === at) ?? { at, size: 0 };
    features.push(feature);
    at += feature.size || 1;
  }
  return features;
}

/** Which value of a category a row has; -1 for none. */
function valueIn(dense: FeatureArray, { at, size }: TreeFeature): number {
  for (let value = 0; value < size; value++) if ((dense[at + value] as number) > 0) return value;
  return -1;
}

/**
 * What an open leaf observes, as a record of numbers: the weight of the rows of each class; which features are observed; then of
 * each feature and class a Gaussian, or the weights of the values of a category. Naive Bayes and splits follow from it.
 */
export class LeafStatistics {
  /** Numbers of a record. */
  readonly width: number;
  /** Features of a row, and of a leaf. */
  readonly features: number;
  readonly observed: number;
  /** The weights of the classes on both sides of the split in hand. */
  readonly left: Float64Array;
  readonly right: Float64Array;
  private readonly all: readonly TreeFeature[];
  /** The best split of the feature in hand, and of all. */
  private readonly own: Split = { place: 0, threshold: 0, merit: 0 };
  readonly best: Split = { place: 0, threshold: 0, merit: 0 };
  /** The merit of the best split on another feature than that of the best one; that of no split, 0, where there is none. */
  secondMerit = 0;

  constructor(
    shape: FeatureShape,
    private readonly classes: number,
    /** How many features a leaf observes; all by default. */
    observed?: number,
  ) {
    this.all = treeFeatures(shape);
    this.features = this.all.length;
    this.observed = Math.min(observed ?? this.features, this.features);
    const widths = this.all.map(({ size }) => size || GAUSSIAN).sort((a, b) => b - a);
    const numbers = widths.slice(0, this.observed).reduce((sum, width) => sum + width, 0);
    this.width = classes + this.observed + classes * numbers;
    this.left = new Float64Array(classes);
    this.right = new Float64Array(classes);
  }

  /** Sets which feature is the n-th that a leaf observes. */
  observe(values: Float64Array, at: number, n: number, feature: number): void {
    values[at + this.classes + n] = feature;
  }

  /** Takes in a row of class `c`. */
  learn(values: Float64Array, at: number, dense: FeatureArray, c: number, weight: number): void {
    const { classes, observed } = this;
    const before = values[at + c] as number;
    const rows = before + weight;
    values[at + c] = rows;
    let from = at + classes + observed;
    for (let n = 0; n < observed; n++) {
      const feature = this.featureAt(values, at, n);
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
      if (before === 0 || x < (values[gaussian + 2] as number)) values[gaussian + 2] = x;
      if (before === 0 || x > (values[gaussian + 3] as number)) values[gaussian + 3] = x;
      from += GAUSSIAN * classes;
    }
  }

  /**
   * Adds to each class the logarithm of how likely the row is in it. A number that does not vary in a class says nothing; a value
   * of a category counts one row more than it had.
   */
  addLogLikelihoods(values: Float64Array, at: number, dense: FeatureArray, scores: Float64Array): void {
    const { classes, observed } = this;
    for (let c = 0; c < classes; c++) {
      const rows = values[at + c] as number;
      let sum = 0;
      let squares = 0;
      let numbers = 0;
      // The product of spreads: one logarithm for many features, as it costs more than all the rest.
      let spreads = 1;
      let from = at + classes + observed;
      for (let n = 0; n < observed; n++) {
        const feature = this.featureAt(values, at, n);
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
   * Finds the `best` split of a leaf whose classes have these weights, and divides the classes by it into `left` and `right`. Says
   * whether there is one. Its merit may be below 0: the leaf has its weights from a parent, too, and what it observes may differ.
   */
  findSplit(values: Float64Array, at: number, weights: Float64Array): boolean {
    const { classes, observed, own, best } = this;
    const before = entropy(weights);
    best.merit = NONE;
    this.secondMerit = NONE;
    let from = at + classes + observed;
    let bestFrom = 0;
    let bestSize = 0;
    for (let n = 0; n < observed; n++) {
      const feature = this.featureAt(values, at, n);
      own.merit = NONE;
      if (feature.size > 0) this.tryValues(values, at, from, feature, before);
      else this.tryThresholds(values, at, from, feature, before);
      if (own.merit > NONE && own.merit >= best.merit) {
        this.secondMerit = best.merit;
        best.merit = own.merit;
        best.place = own.place;
        best.threshold = own.threshold;
        bestFrom = from + (own.place - feature.at) * classes;
        bestSize = feature.size;
      } else this.secondMerit = Math.max(this.secondMerit, own.merit);
      from += (feature.size || GAUSSIAN) * classes;
    }
    if (best.merit === NONE) return false;
    if (this.secondMerit === NONE) this.secondMerit = 0;
    if (bestSize > 0) this.divideByValue(values, at, bestFrom);
    else this.divideByThreshold(values, at, bestFrom, best.threshold);
    return true;
  }

  private featureAt(values: Float64Array, at: number, n: number): TreeFeature {
    return this.all[values[at + this.classes + n] as number] as TreeFeature;
  }

  /** Each value of a category against all others, as its place is 1 or not. */
  private tryValues(values: Float64Array, at: number, from: number, feature: TreeFeature, before: number): void {
    for (let value = 0; value < feature.size; value++) {
      this.divideByValue(values, at, from + value * this.classes);
      this.offer(before, feature.at + value, 0);
    }
  }

  private tryThresholds(values: Float64Array, at: number, from: number, feature: TreeFeature, before: number): void {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < this.classes; c++) {
      if (values[at + c] === 0) continue;
      low = Math.min(low, values[from + GAUSSIAN * c + 2] as number);
      high = Math.max(high, values[from + GAUSSIAN * c + 3] as number);
    }
    const step = (high - low) / (TRIED + 1);
    for (let i = 1; i <= TRIED; i++) {
      const threshold = low + step * i;
      if (!(threshold > low && threshold < high)) continue;
      this.divideByThreshold(values, at, from, threshold);
      this.offer(before, feature.at, threshold);
    }
  }

  private divideByValue(values: Float64Array, at: number, from: number): void {
    for (let c = 0; c < this.classes; c++) {
      this.right[c] = values[from + c] as number;
      this.left[c] = (values[at + c] as number) - (values[from + c] as number);
    }
  }

  private divideByThreshold(values: Float64Array, at: number, from: number, threshold: number): void {
    for (let c = 0; c < this.classes; c++) {
      const rows = values[at + c] as number;
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

  /** Keeps the split that divides the classes into `left` and `right`, if it is the best of its feature. */
  private offer(before: number, place: number, threshold: number): void {
    const { left, right, own } = this;
    const below = sumOf(left);
    const above = sumOf(right);
    const total = below + above;
    if (!(below > SHARE_MIN * total && above > SHARE_MIN * total)) return;
    const merit = before - (below * entropy(left) + above * entropy(right)) / total;
    if (!(merit > own.merit)) return;
    own.merit = merit;
    own.place = place;
    own.threshold = threshold;
  }
}
