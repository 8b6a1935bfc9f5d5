import type { FeatureNumbers, FeatureShape } from '../../../core/learner.js';
import type { ArenaCell } from '../../../state/index.js';
import { addToMoments, MOMENTS_SIZE } from '../../../util/moments.js';
import type { LeafFeatures } from './leaf-features.js';
import { type LeafKind, type Leaves, OWN, STATISTICS, type TreeArenas } from './leaves.js';
import { NumberStatistics, numberStatisticsWidth } from './number-statistics.js';
import { hoeffdingBound, type Split, type SplitRules } from './split.js';

/** How leaves for numbers observe, split and predict. */
export interface NumberLeafRules extends SplitRules {
  readonly leafPrediction: 'mean' | 'linear' | 'adaptive';
  readonly binsMax: number;
  readonly linearRate: number;
  readonly errorDecay: number;
}

/** Of a node: the moments of its labels, the squared errors of both predictions, then the intercept and the weights. */
const MEAN = OWN + 1;
const SQUARES = OWN + 2;
const MEAN_ERROR = OWN + MOMENTS_SIZE;
const LINEAR_ERROR = MEAN_ERROR + 1;
const WEIGHTS = LINEAR_ERROR + 1;

/** The largest slope of the loss that an update of a linear model takes. */
const SLOPE_MAX = 1e12;

/** Leaves that predict a number by the mean of their labels or a linear model, and split by the variance that it takes away. */
export const numberLeaves = (rules: NumberLeafRules): LeafKind => ({
  outputs: 1,
  unknown: 0,
  structure: { binsMax: rules.binsMax, hasLinear: rules.leafPrediction !== 'mean' },
  widths: ({ denseSize }, features) => ({
    node: WEIGHTS - OWN + (rules.leafPrediction === 'mean' ? 0 : 1 + denseSize),
    statistics: numberStatisticsWidth(rules.binsMax, features),
  }),
  open: (arenas, shape, features) => new NumberLeaves(arenas, shape, features, rules),
});

class NumberLeaves implements Leaves {
  private readonly nodes: ArenaCell;
  private readonly leaves: ArenaCell;
  private readonly statistics: NumberStatistics;
  private readonly denseSize: number;

  constructor(
    arenas: TreeArenas,
    { denseSize }: FeatureShape,
    features: LeafFeatures,
    private readonly rules: NumberLeafRules,
  ) {
    this.nodes = arenas.nodes;
    this.leaves = arenas.leaves;
    this.denseSize = denseSize;
    this.statistics = new NumberStatistics(rules.binsMax, features);
  }

  get best(): Readonly<Split> {
    return this.statistics.search.best;
  }

  predict(node: number, row: FeatureNumbers, into: Float64Array): void {
    const { values } = this.nodes;
    const { leafPrediction } = this.rules;
    const isLinear =
      leafPrediction === 'linear' ||
      (leafPrediction === 'adaptive' &&
        (values[node + LINEAR_ERROR] as number) < (values[node + MEAN_ERROR] as number));
    into[0] = isLinear ? this.linear(node, row) : (values[node + MEAN] as number);
  }

  learn(node: number, row: FeatureNumbers, label: number, weight: number): void {
    const { values } = this.nodes;
    if (this.rules.leafPrediction !== 'mean') this.descend(node, row, label, weight);
    addToMoments(values, node + OWN, label, weight);
    const link = values[node + STATISTICS] as number;
    if (link !== 0) this.statistics.learn(this.leaves.values, link - 1, row.dense, label, weight);
  }

  weightOf(node: number): number {
    return this.nodes.values[node + OWN] as number;
  }

  /** The squared distance of its labels from their mean. */
  promiseOf(node: number): number {
    return this.nodes.values[node + SQUARES] as number;
  }

  /**
   * Whether the best feature is better than the next one by more than chance explains, or both are equally good. Only rows that were
   * observed count, not those that the leaf took over from its parent.
   */
  findSplit(node: number): boolean {
    const { statistics, rules } = this;
    const at = (this.nodes.values[node + STATISTICS] as number) - 1;
    if (!statistics.findSplit(this.leaves.values, at)) return false;
    const { best, secondMerit } = statistics.search;
    const bound = hoeffdingBound(rules.delta, statistics.rowsOf(this.leaves.values, at));
    return best.merit > 0 && (secondMerit / best.merit < 1 - bound || bound < rules.tieThreshold);
  }

  /** Children begin with the linear model of their parent, and with the labels on their side. */
  divide(node: number, left: number, right: number): void {
    const { values, width } = this.nodes;
    const { bestSides } = this.statistics;
    for (const [child, side] of [
      [left, 0],
      [right, MOMENTS_SIZE],
    ] as const) {
      values.copyWithin(child + MEAN_ERROR, node + MEAN_ERROR, node + width);
      values.set(bestSides.subarray(side, side + MOMENTS_SIZE), child + OWN);
    }
  }

  private linear(node: number, { dense }: FeatureNumbers): number {
    const { values } = this.nodes;
    let sum = values[node + WEIGHTS] as number;
    for (let i = 0, at = node + WEIGHTS + 1; i < this.denseSize; i++, at++)
      sum += (values[at] as number) * (dense[i] as number);
    return sum;
  }

  /** Takes in the errors of both predictions, and moves the linear model against the slope of its squared error. */
  private descend(node: number, row: FeatureNumbers, label: number, weight: number): void {
    const { values } = this.nodes;
    const { errorDecay, linearRate } = this.rules;
    const off = this.linear(node, row) - label;
    const offMean = (values[node + MEAN] as number) - label;
    values[node + LINEAR_ERROR] = (values[node + LINEAR_ERROR] as number) * errorDecay + off * off;
    values[node + MEAN_ERROR] = (values[node + MEAN_ERROR] as number) * errorDecay + offMean * offMean;
    const step = linearRate * Math.max(-SLOPE_MAX, Math.min(SLOPE_MAX, 2 * weight * off));
    values[node + WEIGHTS] = (values[node + WEIGHTS] as number) - step;
    for (let i = 0, at = node + WEIGHTS + 1; i < this.denseSize; i++, at++)
      values[at] = (values[at] as number) - step * (row.dense[i] as number);
  }
}
