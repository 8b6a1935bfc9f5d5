import type { Aggregate } from '../../../aggregates/aggregate.js';
import { type Labelled, probabilityOf, type ScoredBy, type ScoreOptions, scoreReader, truthOf } from '../labelled.js';
import { classesText, classProblems, meanMetric } from '../metric.js';

/**
 * Brier score: the mean squared distance of a probability from what happened. 0 is best; always saying one half gives 0.25.
 *
 * @example
 * const scores = { late: brier(), weather: brier({ classes: ['sun', 'rain', 'snow'] }) };
 *
 * Of `classes` the squared distances of all scores are added up, so the worst is 2. Retracts. Memory: six numbers.
 * Source: Brier, "Verification of forecasts expressed in terms of probability", 1950.
 */
export function brier<O extends ScoreOptions = object>(options?: O): Aggregate<ScoredBy<O>, number | null> {
  const { classes } = options ?? {};
  return meanMetric<Labelled>(
    'brier',
    `brier score${classesText(classes)}`,
    classes === undefined
      ? ({ prediction, label }) => (probabilityOf(prediction) - truthOf(label)) ** 2
      : classBrier(classes),
    undefined,
    classProblems(classes),
  ) as Aggregate<ScoredBy<O>, number | null>;
}

function classBrier(classes: readonly unknown[]): (row: Labelled) => number {
  const scoreOf = scoreReader(classes as never);
  return ({ prediction, label }) => {
    if (!classes.includes(label)) return Number.NaN;
    let sum = 0;
    for (let c = 0; c < classes.length; c++)
      sum += (probabilityOf(scoreOf(prediction, c)) - Number(classes[c] === label)) ** 2;
    return sum;
  };
}
