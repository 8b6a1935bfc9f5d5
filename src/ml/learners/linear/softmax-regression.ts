import type { ClassLabel, ClassScores, FeatureNumbers, FeatureShape, Learner } from '../../../core/learner.js';
import type { OpenCells } from '../../../core/state.js';
import { newMoves, type UpdateRule } from '../../optimizers/optimizer.js';
import { indicesOf, normalize, requireClasses } from '../classes.js';
import { FEATURE_MAX, rowLimits } from '../rows.js';
import {
  interceptRule,
  type LinearCells,
  type LinearOptions,
  linearCells,
  linearSettings,
  linearStructure,
  strideOf,
} from './linear-model.js';

/** The classes, and how their weights are found. */
export interface SoftmaxRegressionOptions<C extends ClassLabel> extends LinearOptions {
  /** All classes, in the order of the scores; at least two. */
  readonly classes: readonly C[];
}

/**
 * Online logistic regression for several classes over dense and hashed features: the share of each class. Each has weights of
 * its own, all learn from each row.
 *
 * Guarantees: as those of `logisticRegression`. A label that is no declared class is refused.
 * Memory: `optimizer.width` numbers of 8 bytes (rounded up to a power of two) for each class at the intercept, each dense and
 * each hashed coordinate; weights are not cached. Source: the cross entropy of the softmax, as in Bishop, "Pattern
 * Recognition and Machine Learning" (2006), 4.3.4.
 *
 * @example
 * learn(pipe(standardScaler(), softmaxRegression({ classes: ['early', 'late'], optimizer: sgd({ rate: 0.1 }) })), { as: 'when', ... });
 * @throws MillraceError `config` where an option is out of range
 */
export function softmaxRegression<const C extends ClassLabel>(
  options: SoftmaxRegressionOptions<C>,
): Learner<C, ClassScores, LinearCells> {
  const { classes, optimizer } = options;
  requireClasses('softmaxRegression', classes);
  return Object.freeze<Learner<C, ClassScores, LinearCells>>({
    kind: 'softmax-regression',
    settings: Object.freeze({ classes: classes.join(', '), ...linearSettings('softmaxRegression', options) }),
    output: 'scores',
    classes,
    structure: linearStructure(options),
    cells: (shape: FeatureShape) => linearCells(optimizer, shape, classes.length),
    open: (cells, shape) => openSoftmax(cells, shape, options),
  });
}

function openSoftmax<C extends ClassLabel>(
  { weights, updates }: OpenCells<LinearCells>,
  shape: FeatureShape,
  options: SoftmaxRegressionOptions<C>,
): ReturnType<Learner<C, ClassScores>['open']> {
  const { classes, optimizer, slopeMax = 1e12, featureMax = FEATURE_MAX } = options;
  const { denseSize } = shape;
  const rule = optimizer.weights;
  const intercept = interceptRule(options);
  const stride = strideOf(optimizer);
  const width = classes.length;
  const state = weights.values;
  const classIndices = indicesOf(classes);
  const limits = rowLimits(denseSize, featureMax);
  const scores = new Float64Array(width);
  const slopes = new Float64Array(width);

  /** Adds to each class what one coordinate gives. */
  const add = (coordinate: number, x: number) => {
    for (let c = 0; c < width; c++)
      scores[c] = (scores[c] as number) + rule.weight(state, (coordinate * width + c) * stride) * x;
  };
  const sharesOf = ({ dense, indices, values }: FeatureNumbers): ClassScores => {
    for (let c = 0; c < width; c++) scores[c] = intercept.weight(state, c * stride);
    for (let i = 0; i < denseSize; i++) add(1 + i, dense[i] as number);
    for (let i = 0; i < indices.length; i++) add(1 + denseSize + (indices[i] as number), values[i] as number);
    return normalize(scores);
  };
  const moves = newMoves(state, stride, new Float64Array(width));
  const descend = (by: UpdateRule, coordinate: number, x: number) => {
    moves.from = coordinate * width * stride;
    for (let c = 0; c < width; c++) {
      const at = moves.from + c * stride;
      moves.gradients[c] = (slopes[c] as number) * x;
      moves.weights[c] = by.weight(state, at);
      weights.touch(at);
    }
    by.update(moves);
  };

  return {
    predictOne: (features) => sharesOf(limits.usable(features)),
    learnOne(features, label, weight = 1) {
      const refusal = limits.refusalOf(features, weight);
      if (refusal) return refusal;
      const truth = classIndices.get(label);
      if (truth === undefined) return 'unknown-class';
      const shares = sharesOf(features);
      for (let c = 0; c < width; c++) {
        const slope = weight * ((shares[c] as number) - (c === truth ? 1 : 0));
        slopes[c] = Math.max(-slopeMax, Math.min(slopeMax, slope));
      }
      const step = (updates.values[0] as number) + 1;
      updates.values[0] = step;
      updates.touch(0);
      moves.step = step;
      descend(intercept, 0, 1);
      const { dense, indices, values } = features;
      for (let i = 0; i < denseSize; i++) descend(rule, 1 + i, dense[i] as number);
      for (let i = 0; i < indices.length; i++)
        descend(rule, 1 + denseSize + (indices[i] as number), values[i] as number);
      return 'learnt';
    },
  };
}
