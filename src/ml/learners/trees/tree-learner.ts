import { MillraceError } from '../../../core/errors.js';
import type { ClassLabel, ClassScores, FeatureNumbers, FeatureShape, Learner } from '../../../core/learner.js';
import type { Settings } from '../../../core/operator.js';
import type { CellSpecs, OpenCells } from '../../../core/state.js';
import { requirePositive } from '../../check-options.js';
import { placesOf } from '../classes.js';
import { rowLimits } from '../rows.js';
import type { TreeRules } from './forest.js';

/** When a leaf splits, how it predicts, and how large the tree may become. */
export interface TreeOptions {
  /** Weight of rows that a leaf takes in between two tries to split it; 200 by default. */
  readonly gracePeriod?: number;
  /** Probability that a split is not on the best feature; 1e-7 by default. */
  readonly delta?: number;
  /** Bits of information: features that differ by less, for certain, are as good as each other; 0.05 by default. */
  readonly tieThreshold?: number;
  /**
   * What a leaf predicts: the shares of its classes, naive Bayes over its features, or whichever of them was right more often
   * (`adaptive`, the default).
   */
  readonly leafPrediction?: 'majority' | 'naive-bayes' | 'adaptive';
  /** Most nodes of a tree; 1,000 by default. A tree of that size splits no more. */
  readonly nodesMax?: number;
  /** Most leaves with statistics; a quarter of `nodesMax` by default. Beyond it the least promising leaf is closed. */
  readonly openLeavesMax?: number;
}

/** Larger numbers are refused in updates: their squares must be finite. A tree needs no scaled features. */
const TREE_FEATURE_MAX = 1e50;

/** The options with their defaults, checked. */
export function treeRules(where: string, options: TreeOptions, defaults: Partial<TreeRules> = {}): TreeRules {
  const { gracePeriod = 200, delta = 1e-7, tieThreshold = 0.05, nodesMax = 1_000 } = { ...defaults, ...options };
  const { leafPrediction = 'adaptive', openLeavesMax = Math.ceil(nodesMax / 4) } = options;
  requirePositive(where, { gracePeriod, delta, tieThreshold, nodesMax, openLeavesMax });
  if (delta >= 1 || ![nodesMax, openLeavesMax].every(Number.isInteger))
    throw new MillraceError(
      'config',
      `${where}: delta, nodesMax and openLeavesMax are ${delta}, ${nodesMax} and ${openLeavesMax}`,
      { where, hint: 'give a delta below 1, and whole numbers of nodes and leaves' },
    );
  return Object.freeze({ gracePeriod, delta, tieThreshold, leafPrediction, nodesMax, openLeavesMax });
}

/** What predicts and learns behind the checks: rows are usable, a class is a place. */
export interface TreeLogic {
  predict(row: FeatureNumbers, into: Float64Array): void;
  learn(row: FeatureNumbers, c: number, weight: number): void;
}

/** A learner of classes over trees: the checks that all have in common. */
export function treeLearner<C extends ClassLabel, S extends CellSpecs>(
  kind: string,
  declared: {
    readonly classes: readonly C[];
    readonly settings: Settings;
    readonly structure?: Settings;
    readonly cells: (shape: FeatureShape) => S;
  },
  openTrees: (cells: OpenCells<S>, shape: FeatureShape) => TreeLogic,
): Learner<C, ClassScores, S> {
  const { classes } = declared;
  return Object.freeze<Learner<C, ClassScores, S>>({
    ...declared,
    kind,
    settings: Object.freeze({ classes: classes.join(', '), ...declared.settings }),
    output: 'scores',
    open(cells, shape) {
      const trees = openTrees(cells, shape);
      const limits = rowLimits(shape.denseSize, TREE_FEATURE_MAX);
      const places = placesOf(classes);
      const scores = new Float64Array(classes.length);
      return {
        predictOne(features) {
          trees.predict(limits.usable(features), scores);
          return scores;
        },
        learnOne(features, label, weight = 1) {
          const refusal = limits.refusalOf(features, weight);
          if (refusal) return refusal;
          const place = places.get(label);
          if (place === undefined) return 'unknown-class';
          trees.learn(features, place, weight);
          return 'learnt';
        },
      };
    },
  });
}
