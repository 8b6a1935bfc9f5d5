// A custom aggregate: a few numbers that can be added to, merged and retracted from.
import { type Aggregate, aggregate } from 'millrace/window';

/**
 * The mean of a number, weighted by another one; `null` if the total weight is 0.
 *
 * Sums of products lose digits if values are large and close together. Then use Welford's update, as `variance` does.
 *
 * @example
 * window({ ..., aggregate: { price: weightedMean((trade: Trade) => trade.price, (trade: Trade) => trade.size) } });
 */
export const weightedMean = <T>(
  numberOf: (row: T) => number,
  weightOf: (row: T) => number,
): Aggregate<T, number | null> =>
  aggregate({
    name: 'weighted-mean',
    create: () => ({ weight: 0, product: 0 }),
    add: ({ weight, product }, row: T) => ({
      weight: weight + weightOf(row),
      product: product + weightOf(row) * numberOf(row),
    }),
    merge: (a, b) => ({ weight: a.weight + b.weight, product: a.product + b.product }),
    retract: ({ weight, product }, row: T) => ({
      weight: weight - weightOf(row),
      product: product - weightOf(row) * numberOf(row),
    }),
    result: ({ weight, product }) => (weight === 0 ? null : product / weight),
  });
