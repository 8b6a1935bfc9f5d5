import type { FeatureArray, FeatureNumbers, Refusal } from '../../core/learner.js';
import { areShared } from '../features/ones.js';
import { isWeight } from '../number-limits.js';

/** Largest size of a feature unless a learner is told otherwise: predictions clamp what is beyond, updates with it are refused. */
export const FEATURE_MAX = 1e6;

/** How a row is judged before it is learnt from, and what a prediction takes of numbers that are no use. */
export interface RowLimits {
  /** Why a row cannot be learnt. */
  refusalOf(features: FeatureNumbers, weight: number): Refusal | undefined;
  /** The row itself, or one with NaN as 0 and absurd numbers cut to the limit. */
  usable(features: FeatureNumbers): FeatureNumbers;
}

export const refusalOfWeight = (weight: number): Refusal | undefined =>
  isWeight(weight) ? undefined : 'unusable-weight';

/** Limits of rows with so many dense features. Nothing is allocated for a usable row. */
export function rowLimits(denseSize: number, featureMax: number): RowLimits {
  const within = (numbers: FeatureArray, length: number): boolean => {
    for (let i = 0; i < length; i++) if (!(Math.abs(numbers[i] as number) <= featureMax)) return false;
    return true;
  };
  const isUsable = ({ dense, indices, values }: FeatureNumbers): boolean =>
    within(dense, denseSize) &&
    ((featureMax >= 1 && areShared(values, indices.length)) || within(values, indices.length));
  const clamp = (x: number): number => {
    if (x <= featureMax && x >= -featureMax) return x;
    return Number.isNaN(x) ? 0 : Math.sign(x) * featureMax;
  };
  return {
    refusalOf(features, weight) {
      return isUsable(features) ? refusalOfWeight(weight) : reasonOf(features);
    },
    usable: (features) => {
      if (isUsable(features)) return features;
      const { dense, indices, values } = features;
      return { dense: Float64Array.from(dense, clamp), indices, values: Float64Array.from(values, clamp) };
    },
  };
}

const reasonOf = ({ dense, values }: FeatureNumbers): Refusal =>
  dense.every(Number.isFinite) && values.every(Number.isFinite) ? 'too-large' : 'not-finite';
