import type { FeatureArray, FeatureShape } from '../../../core/learner.js';

/** What a leaf may split on: a dense number, or a category of `size` coordinates. */
export interface TreeFeature {
  readonly at: number;
  /** Number of values; 0 for a number. */
  readonly size: number;
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
export function valueIn(dense: FeatureArray, { at, size }: TreeFeature): number {
  for (let value = 0; value < size; value++) if ((dense[at + value] as number) > 0) return value;
  return -1;
}

/** Which features an open leaf observes: the second to last numbers at the head of its statistics. The first one is its node. */
export class LeafFeatures {
  readonly all: readonly TreeFeature[];
  /** Features that a leaf observes. */
  readonly observed: number;
  /** Numbers before the statistics of its kind. */
  readonly head: number;

  constructor(shape: FeatureShape, observed?: number) {
    this.all = treeFeatures(shape);
    this.observed = Math.min(observed ?? this.all.length, this.all.length);
    this.head = 1 + this.observed;
  }

  /** The n-th feature that the leaf with statistics at `at` observes. */
  feature(values: Float64Array, at: number, n: number): TreeFeature {
    return this.all[values[at + 1 + n] as number] as TreeFeature;
  }

  /** The most numbers that the features of a leaf need, if each needs so many. */
  widthMax(widthOf: (feature: TreeFeature) => number): number {
    const widths = this.all.map(widthOf).sort((a, b) => b - a);
    return widths.slice(0, this.observed).reduce((sum, width) => sum + width, 0);
  }
}
