import type { FeatureNumbers } from '../../../core/learner.js';
import type { ArenaCell } from '../../../state/index.js';
import { normalize } from '../classes.js';
import { ClassStatistics, classStatisticsWidth } from './class-statistics.js';
import type { LeafFeatures } from './leaf-features.js';
import { argmax, type LeafKind, type Leaves, OWN, STATISTICS, type TreeArenas } from './leaves.js';
import { hoeffdingBound, type Split, type SplitRules } from './split.js';

/** How leaves for classes split and predict. */
export interface ClassLeafRules extends SplitRules {
  readonly leafPrediction: 'majority' | 'naive-bayes' | 'adaptive';
}

/** Of a node: the weight of the rows that the majority and naive Bayes would have classified rightly, then that of each class. */
const MAJORITY_RIGHT = OWN;
const BAYES_RIGHT = OWN + 1;
const CLASSES = OWN + 2;

/** Leaves that predict the shares of so many classes, and split by the information that it gains. */
export const classLeaves = (classes: number, rules: ClassLeafRules): LeafKind => ({
  outputs: classes,
  unknown: 1 / classes,
  structure: {},
  widths: (_shape, features) => ({
    node: CLASSES - OWN + classes,
    statistics: classStatisticsWidth(classes, features),
  }),
  open: (arenas, _shape, features) => new ClassLeaves(arenas, features, classes, rules),
});

class ClassLeaves implements Leaves {
  private readonly nodes: ArenaCell;
  private readonly leaves: ArenaCell;
  private readonly statistics: ClassStatistics;
  private readonly scores: Float64Array;
  private readonly weights: Float64Array;

  constructor(
    arenas: TreeArenas,
    features: LeafFeatures,
    private readonly classes: number,
    private readonly rules: ClassLeafRules,
  ) {
    this.nodes = arenas.nodes;
    this.leaves = arenas.leaves;
    this.statistics = new ClassStatistics(classes, features);
    this.scores = new Float64Array(classes);
    this.weights = new Float64Array(classes);
  }

  get best(): Readonly<Split> {
    return this.statistics.search.best;
  }

  predict(node: number, row: FeatureNumbers, into: Float64Array): void {
    const { values } = this.nodes;
    const { leafPrediction } = this.rules;
    const usesBayes =
      values[node + STATISTICS] !== 0 &&
      (leafPrediction === 'naive-bayes' ||
        (leafPrediction === 'adaptive' &&
          (values[node + BAYES_RIGHT] as number) >= (values[node + MAJORITY_RIGHT] as number)));
    if (usesBayes) {
      this.bayes(node, row, into);
      return;
    }
    const total = this.readWeights(node, into);
    for (let c = 0; c < into.length; c++) into[c] = (into[c] as number) / total;
  }

  learn(node: number, row: FeatureNumbers, c: number, weight: number, maySplit: boolean): void {
    const { values } = this.nodes;
    const link = values[node + STATISTICS] as number;
    if (link !== 0 && this.rules.leafPrediction === 'adaptive') this.compare(node, row, c, weight);
    values[node + CLASSES + c] = (values[node + CLASSES + c] as number) + weight;
    if (link !== 0) this.statistics.learn(this.leaves.values, link - 1, row.dense, c, weight, maySplit);
  }

  settle(node: number): void {
    const link = this.nodes.values[node + STATISTICS] as number;
    this.statistics.clearRanges(this.leaves.values, link - 1);
  }

  weightOf(node: number): number {
    return this.readWeights(node, this.weights);
  }

  /** The weight of rows outside of its majority. */
  promiseOf(node: number): number {
    const total = this.readWeights(node, this.scores);
    return total - (this.scores[argmax(this.scores)] as number);
  }

  /** Whether the best feature is better than the next one by more than chance explains, or both are equally good. */
  findSplit(node: number): boolean {
    const { statistics, weights, rules } = this;
    const total = this.readWeights(node, weights);
    let seen = 0;
    for (let c = 0; c < weights.length; c++) if ((weights[c] as number) > 0) seen++;
    if (seen < 2) return false;
    const at = (this.nodes.values[node + STATISTICS] as number) - 1;
    if (!statistics.findSplit(this.leaves.values, at, weights)) return false;
    const bound = Math.log2(seen) * hoeffdingBound(rules.delta, total);
    const { best, secondMerit } = statistics.search;
    return best.merit - secondMerit > bound || bound < rules.tieThreshold;
  }

  divide(_node: number, left: number, right: number): void {
    this.nodes.values.set(this.statistics.left, left + CLASSES);
    this.nodes.values.set(this.statistics.right, right + CLASSES);
  }

  /** Writes the weights of a leaf's classes and returns their sum. */
  private readWeights(node: number, into: Float64Array): number {
    let total = 0;
    for (let c = 0; c < this.classes; c++) {
      const weight = this.nodes.values[node + CLASSES + c] as number;
      into[c] = weight;
      total += weight;
    }
    return total;
  }

  private bayes(node: number, { dense }: FeatureNumbers, into: Float64Array): void {
    const total = this.readWeights(node, into);
    for (let c = 0; c < into.length; c++) into[c] = Math.log((into[c] as number) / total);
    const at = (this.nodes.values[node + STATISTICS] as number) - 1;
    this.statistics.addLogLikelihoods(this.leaves.values, at, dense, into);
    normalize(into);
  }

  /** Counts whether the majority and naive Bayes would have been right. */
  private compare(node: number, row: FeatureNumbers, c: number, weight: number): void {
    const { values } = this.nodes;
    const total = this.readWeights(node, this.scores);
    if (total === 0 || argmax(this.scores) === c)
      values[node + MAJORITY_RIGHT] = (values[node + MAJORITY_RIGHT] as number) + weight;
    if (total === 0) return;
    this.bayes(node, row, this.scores);
    if (argmax(this.scores) === c) values[node + BAYES_RIGHT] = (values[node + BAYES_RIGHT] as number) + weight;
  }
}
