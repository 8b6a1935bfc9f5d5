import { type DistanceName, type Distances, distancesOf } from './distances.js';
import type { Distribution } from './distribution.js';
import { nullThreshold } from './null-threshold.js';
import type { Features, SliceDistributions } from './slice-distributions.js';

/** How far a feature is from its reference, and whether that is more than chance. */
export interface ComparedFeature extends Distances {
  /** The name of the feature; `all` of all together. */
  readonly feature: string;
  readonly importance: number;
  /** The distance that decides. Of `all`: the mean of distance through threshold, by importance. */
  readonly by: string;
  readonly distance: number | null;
  /** What chance exceeds once in 1,000 times; null for too few rows. Of `all` it is 1. */
  readonly threshold: number | null;
  readonly drifted: boolean;
}

/**
 * Compares each feature of a slice with its reference. `numbers` and `categories` are the distances that decide. Without enough rows on both
 * sides nothing is decided.
 */
export function compareSlices(
  features: Features<never>,
  {
    numbers = 'kolmogorovSmirnov',
    categories = 'jensenShannon',
  }: { readonly numbers?: DistanceName; readonly categories?: DistanceName },
  reference: SliceDistributions,
  now: SliceDistributions,
  isEnough: boolean,
): ComparedFeature[] {
  return Object.entries(features).map(([feature, { number, importance = 1 }], i) => {
    const [before, after] = [reference.features[i] as Distribution, now.features[i] as Distribution];
    const by = number ? numbers : categories;
    const distances = distancesOf(before, after);
    const distance = distances[by];
    const threshold = isEnough && distance !== null ? nullThreshold(by, before, after) : null;
    const drifted = threshold !== null && (distance as number) > threshold;
    return { feature, importance, by, distance, threshold, drifted, ...withoutNaN(distances) };
  });
}

/** All features together: the mean of their distances through their thresholds, by importance. */
export function overAll(features: readonly ComparedFeature[]): ComparedFeature {
  const decided = features.filter(({ threshold }) => threshold !== null);
  const importance = decided.reduce((sum, feature) => sum + feature.importance, 0);
  const exceeded = decided.reduce((sum, feature) => sum + feature.importance * excessOf(feature), 0);
  const mean = importance > 0 ? exceeded / importance : null;
  return {
    feature: 'all',
    importance,
    by: 'importance',
    distance: mean,
    threshold: mean === null ? null : 1,
    drifted: mean !== null && mean > 1,
    ...NO_DISTANCES,
  };
}

const NO_DISTANCES: Distances = Object.freeze({
  psi: null,
  chiSquared: null,
  jensenShannon: null,
  kolmogorovSmirnov: null,
  wasserstein: null,
  added: null,
  gone: null,
  referenceMissing: 0,
  missing: 0,
});

/** How far a distance is beyond what chance does; a threshold of 0 is that of a feature that never varied. */
function excessOf({ distance, threshold }: ComparedFeature): number {
  const [found, chance] = [distance as number, threshold as number];
  if (chance > 0) return found / chance;
  return found > 0 ? 10 : 0;
}

/** Shares of no rows are 0. */
const withoutNaN = ({ missing, referenceMissing, ...distances }: Distances): Distances => ({
  ...distances,
  missing: missing || 0,
  referenceMissing: referenceMissing || 0,
});
