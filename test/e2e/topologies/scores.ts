/** What was predicted, and what came. */
export type Pair<Y> = readonly [predicted: number, label: Y];

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export const meanAbsoluteError = (pairs: readonly Pair<number>[]): number =>
  mean(pairs.map(([predicted, label]) => Math.abs(predicted - label)));

export const rootMeanSquaredError = (pairs: readonly Pair<number>[]): number =>
  Math.sqrt(mean(pairs.map(([predicted, label]) => (predicted - label) ** 2)));

/** Of classes, or of probabilities beside true and false. */
export const accuracy = (pairs: readonly Pair<number | boolean>[]): number =>
  mean(
    pairs.map(([predicted, label]) =>
      Number(typeof label === 'boolean' ? predicted > 0.5 === label : predicted === label),
    ),
  );

/** In nats; a probability is at least 1e-15. */
export const logLoss = (pairs: readonly Pair<boolean>[]): number =>
  mean(pairs.map(([predicted, label]) => -Math.log(Math.max(1e-15, label ? predicted : 1 - predicted))));

/** The precision at the place of each positive, averaged, from the highest score down; equal scores stand as they came. */
export function averagePrecision(pairs: readonly Pair<boolean>[]): number {
  const positives = pairs.toSorted(([a], [b]) => b - a).flatMap(([, label], place) => (label ? [place] : []));
  return mean(positives.map((place, found) => (found + 1) / (place + 1)));
}
