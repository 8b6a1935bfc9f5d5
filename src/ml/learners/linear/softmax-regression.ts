import type { ClassLabel, ClassScores, FeatureNumbers, FeatureShape, Learner } from '../../../core/learner.js';
import type { OpenCells } from '../../../core/state.js';
import { newMoves, type UpdateRule } from '../../optimizers/optimizer.js';
import { indicesOf, normalize, requireClasses } from '../classes.js';
import { BLOCK } from '../model-numbers.js';
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

  // The weights of all classes at a dense coordinate lie side by side, so the dense part of a row moves in one call.
  const atDense = newMoves(state, stride, new Float64Array(denseSize * width), { from: width * stride });
  const atOne = newMoves(state, stride, new Float64Array(width));

  const sharesOf = ({ dense, indices, values }: FeatureNumbers): ClassScores => {
    for (let c = 0; c < width; c++) scores[c] = intercept.weight(state, c * stride);
    for (let i = 0, at = 0; i < denseSize; i++) {
      const x = dense[i] as number;
      for (let c = 0; c < width; c++, at++) {
        const weight = rule.weight(state, atDense.from + at * stride);
        atDense.weights[at] = weight;
        scores[c] = (scores[c] as number) + weight * x;
      }
    }
    for (let i = 0; i < indices.length; i++) {
      const x = values[i] as number;
      const from = (1 + denseSize + (indices[i] as number)) * width;
      for (let c = 0; c < width; c++) scores[c] = (scores[c] as number) + rule.weight(state, (from + c) * stride) * x;
    }
    return normalize(scores);
  };
  const descendDense = ({ dense }: FeatureNumbers, step: number) => {
    for (let i = 0, at = 0; i < denseSize; i++)
      for (let c = 0; c < width; c++, at++) atDense.inputs[at] = (slopes[c] as number) * (dense[i] as number);
    const end = atDense.from + atDense.count * stride;
    for (let at = 0; at < end; at += BLOCK) weights.touch(at);
    atDense.step = step;
    rule.update(atDense);
  };
  const descend = (by: UpdateRule, coordinate: number, x: number, step: number) => {
    atOne.from = coordinate * width * stride;
    for (let c = 0; c < width; c++) {
      const at = atOne.from + c * stride;
      atOne.inputs[c] = (slopes[c] as number) * x;
      atOne.weights[c] = by.weight(state, at);
      weights.touch(at);
    }
    atOne.step = step;
    by.update(atOne);
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
      descend(intercept, 0, 1, step);
      descendDense(features, step);
      const { indices, values } = features;
      for (let i = 0; i < indices.length; i++)
        descend(rule, 1 + denseSize + (indices[i] as number), values[i] as number, step);
      return 'learnt';
    },
  };
}
