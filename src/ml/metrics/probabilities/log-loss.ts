import type { Aggregate } from '../../../aggregates/aggregate.js';
import { type Labelled, probabilityOf, type ScoredBy, type ScoreOptions, scoreReader, truthOf } from '../labelled.js';
import { classesText, classProblems, meanMetric } from '../metric.js';

/** Probabilities closer to 0 or 1 than this are clamped, so that one sure and wrong prediction costs 34.5, not infinity. */
const EDGE = 1e-15;
// Simple baselines are sure most of the time: these two need not be computed again.
const AT_EDGE = -Math.log(EDGE);
const AT_OTHER_EDGE = -Math.log(1 - EDGE);

/**
 * The log loss of one prediction, in nats: `-ln` of the probability that was given to what happened.
 *
 * @example logLossOf(0.5, true); // 0.6931471805599453
 */
export function logLossOf(probability: number, label: boolean): number {
  const given = label ? probability : 1 - probability;
  if (given <= EDGE) return AT_EDGE;
  return given >= 1 - EDGE ? AT_OTHER_EDGE : -Math.log(given);
}

/** The log loss of a row; NaN for one that cannot be used. */
export function rowLogLoss(prediction: unknown, label: unknown): number {
  const truth = truthOf(label);
  const probability = probabilityOf(prediction);
  return Number.isNaN(truth) || Number.isNaN(probability) ? Number.NaN : logLossOf(probability, truth === 1);
}

/**
 * Log loss: the mean of `-ln` of the probability that was given to what happened, in nats.
 *
 * @example
 * const scores = { late: logLoss(), weather: logLoss({ classes: ['sun', 'rain', 'snow'] }) };
 *
 * Of `classes`, a prediction is their scores, which should add up to 1. Probabilities are kept 1e-15 away from 0 and 1. Retracts.
 * Memory: six numbers.
 */
export function logLoss<O extends ScoreOptions = object>(options?: O): Aggregate<ScoredBy<O>, number | null> {
  const { classes } = options ?? {};
  return meanMetric<Labelled>(
    'log loss',
    `log loss${classesText(classes)}`,
    classes === undefined ? ({ prediction, label }) => rowLogLoss(prediction, label) : classLogLoss(classes),
    undefined,
    classProblems(classes),
  ) as Aggregate<ScoredBy<O>, number | null>;
}

function classLogLoss(classes: readonly unknown[]): (row: Labelled) => number {
  const places = new Map(classes.map((label, place) => [label, place]));
  const scoreOf = scoreReader(classes as never);
  return ({ prediction, label }) => {
    const place = places.get(label);
    const probability = place === undefined ? Number.NaN : probabilityOf(scoreOf(prediction, place));
    return Number.isNaN(probability) ? probability : logLossOf(probability, true);
  };
}
