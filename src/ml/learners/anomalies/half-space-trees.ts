import { MillraceError } from '../../../core/errors.js';
import type { FeatureNumbers, FeatureShape, Learner, LearnerLogic } from '../../../core/learner.js';
import { type Float64Cell, float64Cell } from '../../../state/index.js';
import { chance } from '../../chance.js';
import { requirePositive } from '../../check-options.js';
import { requireDense } from '../dense-learner.js';
import { FEATURE_MAX, rowLimits } from '../rows.js';

/** How many trees there are, how they are grown, and over how many rows usual places are counted. */
export interface HalfSpaceTreesOptions {
  /** 10 by default. */
  readonly trees?: number;
  /** Splits from the root to a leaf, 1 to 15; 8 by default. */
  readonly height?: number;
  /** Rows of a window; 250 by default. */
  readonly window?: number;
  /** Another seed splits elsewhere; 1 by default. */
  readonly seed?: number;
}

/** The split of each inner node, tree by tree, in the order of a heap: the children of node n are 2n + 1 and 2n + 2. */
export interface HalfSpaces {
  readonly features: Uint32Array;
  readonly thresholds: Float64Array;
}

/** A search ends where fewer than this share of a window's rows are, and a split keeps this far from the ends of a range. */
const SPARSE = 0.1;
const PADDING = 0.15;
/** Before the trees: rows of the window so far, windows that have ended. */
const HEAD = 2;

function treeCells(shape: FeatureShape, trees: number, height: number) {
  requireDense('halfSpaceTrees', shape);
  return { masses: float64Cell({ size: HEAD + trees * 2 * (2 ** (height + 1) - 1), block: 256 }) };
}

type Cells = ReturnType<typeof treeCells>;

/**
 * Half-space trees: how rare the place of a row is among the rows of the last full window, from 0 (usual) to 1 (nobody was near).
 * Trees split the space at random before the first row; only the rows in each half are counted. Dense features are taken to lie
 * between 0 and 1. Scale them by known bounds: behind `minMaxScaler` a value beyond all that were learnt lies where the greatest of
 * them does. Learns without labels; 0 until the first window has ended.
 *
 * Guarantees: the splits follow from the seed. A row counts once, whatever its weight. Finds scattered anomalies; many alike within
 * a window become usual. Memory: 16 bytes a node, with `2 ** (height + 1) - 1` nodes a tree.
 * Source: Tan, Ting and Liu, "Fast Anomaly Detection for Streaming Data", IJCAI 2011; splits and scores as in River.
 *
 * @example detectAnomalies(halfSpaceTrees({ trees: 25, window: 1_000 }), { as: 'anomaly', ... });
 * @throws MillraceError `config` where an option is out of range, and for a view without dense or with hashed features
 */
export function halfSpaceTrees(options: HalfSpaceTreesOptions = {}): Learner<unknown, number, Cells> {
  const { trees = 10, height = 8, window = 250, seed = 1 } = options;
  requirePositive('halfSpaceTrees', { trees, height, window });
  if (![trees, height, window].every(Number.isInteger) || height > 15)
    throw new MillraceError(
      'config',
      `halfSpaceTrees: trees, height and window are ${trees}, ${height} and ${window}`,
      {
        where: 'halfSpaceTrees',
        hint: 'give whole numbers, and a height of 15 at most',
      },
    );
  const settings = Object.freeze({ trees, height, window, seed });
  return Object.freeze<Learner<unknown, number, Cells>>({
    kind: 'half-space-trees',
    settings,
    output: 'anomaly',
    structure: settings,
    warmUp: window,
    cells: (shape) => treeCells(shape, trees, height),
    open: ({ masses }, shape) => openTrees(masses, splitsOf(shape, trees, height, seed), shape, settings),
  });
}

/** Splits the unit cube: each node by a feature, in proportion to its range there, somewhere in the middle of the range. */
function splitsOf({ denseSize }: FeatureShape, trees: number, height: number, seed: number): HalfSpaces {
  const inner = 2 ** height - 1;
  const features = new Uint32Array(trees * inner);
  const thresholds = new Float64Array(trees * inner);
  for (let tree = 0; tree < trees; tree++) {
    const split = (node: number, low: readonly number[], high: readonly number[]): void => {
      if (node >= inner) return;
      const ranges = low.map((from, i) => (high[i] as number) - from);
      let left = chance(seed, tree, 2 * node) * ranges.reduce((sum, range) => sum + range, 0);
      let feature = 0;
      for (; feature < denseSize - 1 && left >= (ranges[feature] as number); feature++)
        left -= ranges[feature] as number;
      const share = PADDING + chance(seed, tree, 2 * node + 1) * (1 - 2 * PADDING);
      const threshold = (low[feature] as number) + share * (ranges[feature] as number);
      features[tree * inner + node] = feature;
      thresholds[tree * inner + node] = threshold;
      split(2 * node + 1, low, high.with(feature, threshold));
      split(2 * node + 2, low.with(feature, threshold), high);
    };
    split(0, new Array<number>(denseSize).fill(0), new Array<number>(denseSize).fill(1));
  }
  return { features, thresholds };
}

/** Opens trees with given splits. Of a node, the cell has the rows of this window, then those of the last one. */
export function openTrees(
  masses: Float64Cell,
  { features, thresholds }: HalfSpaces,
  { denseSize }: FeatureShape,
  { trees, height, window }: { readonly trees: number; readonly height: number; readonly window: number },
): LearnerLogic<unknown, number> {
  const { values: state } = masses;
  const limits = rowLimits(denseSize, FEATURE_MAX);
  const inner = 2 ** height - 1;
  const nodes = 2 * inner + 1;
  const most = trees * window * nodes;
  const childOf = (tree: number, node: number, { dense }: FeatureNumbers): number => {
    const at = tree * inner + node;
    return 2 * node + ((dense[features[at] as number] as number) < (thresholds[at] as number) ? 1 : 2);
  };
  return {
    predictOne(row) {
      if (state[1] === 0) return 0;
      const usable = limits.usable(row);
      let score = 0;
      for (let tree = 0; tree < trees; tree++) {
        let node = 0;
        for (let depth = 0; depth <= height; depth++) {
          const rows = state[HEAD + 2 * (tree * nodes + node) + 1] as number;
          score += rows * 2 ** depth;
          if (rows < SPARSE * window || depth === height) break;
          node = childOf(tree, node, usable);
        }
      }
      return 1 - score / most;
    },
    learnOne(row, _label, weight = 1) {
      const refusal = limits.refusalOf(row, weight);
      if (refusal) return refusal;
      for (let tree = 0; tree < trees; tree++) {
        let node = 0;
        for (let depth = 0; depth <= height; depth++) {
          const at = HEAD + 2 * (tree * nodes + node);
          state[at] = (state[at] as number) + 1;
          masses.touch(at);
          if (depth < height) node = childOf(tree, node, row);
        }
      }
      state[0] = (state[0] as number) + 1;
      masses.touch(0);
      if (state[0] < window) return 'learnt';
      for (let at = HEAD; at < state.length; at += 2) {
        state[at + 1] = state[at] as number;
        state[at] = 0;
        masses.touch(at);
      }
      state[0] = 0;
      state[1] = (state[1] as number) + 1;
      return 'learnt';
    },
  };
}
