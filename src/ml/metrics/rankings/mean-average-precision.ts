import type { Aggregate } from '../../../aggregates/aggregate.js';
import { type RankingOptions, type RankingRow, rankingMetric } from './ranking.js';

/**
 * MAP at k: the mean, over relevant items, of the share of relevant ones down to their rank. An item that is not among the first `k` counts as
 * 0; at most `k` items are asked for.
 *
 * @example
 * const scores = { films: meanAveragePrecision({ k: 5 }) };
 * // of { prediction: ['a', 'b', 'c'], label: ['b', 'c'] }: (1/2 + 2/3) / 2
 *
 * Rows without a relevant item are ignored. Retracts. Memory: six numbers.
 */
export const meanAveragePrecision = (options: RankingOptions = {}): Aggregate<RankingRow, number | null> =>
  rankingMetric('map', options, (items, gainOf, gains, k) => {
    let found = 0;
    let sum = 0;
    items.forEach((item, at) => {
      if (gainOf(item) > 0) sum += ++found / (at + 1);
    });
    return sum / Math.min(k, gains.length);
  });
