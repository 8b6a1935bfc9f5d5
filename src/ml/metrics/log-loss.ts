/** Probabilities closer to 0 or 1 than this are clamped, so that one sure and wrong prediction costs 34.5, not infinity. */
const EDGE = 1e-15;
// Simple baselines are sure most of the time: these two need not be computed again.
const AT_EDGE = -Math.log(EDGE);
const AT_OTHER_EDGE = -Math.log(1 - EDGE);

/** What is kept to know a mean log loss: two numbers, whatever the number of rows. */
export interface LogLossSum {
  rows: number;
  sum: number;
}

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

export const emptyLogLoss = (): LogLossSum => ({ rows: 0, sum: 0 });

/** Adds a row to a sum, in place. */
export function addLogLoss(sum: LogLossSum, probability: number, label: boolean): void {
  sum.rows += 1;
  sum.sum += logLossOf(probability, label);
}

/** The sum over the rows of both. */
export const mergeLogLoss = (a: LogLossSum, b: LogLossSum): LogLossSum => ({
  rows: a.rows + b.rows,
  sum: a.sum + b.sum,
});

/** Mean log loss in nats a row; `NaN` over no rows. */
export const logLoss = (sum: LogLossSum): number => sum.sum / sum.rows;
