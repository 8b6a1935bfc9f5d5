/** What is kept to know an accuracy: two numbers, whatever the number of rows. */
export interface AccuracySum {
  rows: number;
  correct: number;
}

/**
 * Whether a probability points at what happened; a tie (exactly one half) counts as "no", as in River.
 *
 * @example isCorrect(0.7, true); // true
 */
export const isCorrect = (probability: number, label: boolean): boolean => probability > 0.5 === label;

export const emptyAccuracy = (): AccuracySum => ({ rows: 0, correct: 0 });

/** Adds a row to a sum, in place. */
export function addAccuracy(sum: AccuracySum, probability: number, label: boolean): void {
  sum.rows += 1;
  if (isCorrect(probability, label)) sum.correct += 1;
}

/** The sum over the rows of both. */
export const mergeAccuracy = (a: AccuracySum, b: AccuracySum): AccuracySum => ({
  rows: a.rows + b.rows,
  correct: a.correct + b.correct,
});

/** Share of rows that were predicted right; `NaN` over no rows. */
export const accuracy = (sum: AccuracySum): number => sum.correct / sum.rows;
