import type { Aggregate } from '../../../aggregates/aggregate.js';
import { type RankingOptions, type RankingRow, rankingMetric } from './ranking.js';

/**
 * MRR: the mean of 1 divided by the rank of the first relevant item; 0 if none is among the first `k`.
 *
 * @example
 * const scores = { answers: meanReciprocalRank() };
 * // of { prediction: ['a', 'b', 'c'], label: ['b', 'c'] }: 0.5
 *
 * Rows without a relevant item are ignored. Retracts. Memory: six numbers.
 */
export const meanReciprocalRank = (options: RankingOptions = {}): Aggregate<RankingRow, number | null> =>
  rankingMetric('mrr', options, (items, gainOf) => {
    const rank = 1 + items.findIndex((item) => gainOf(item) > 0);
    return rank === 0 ? 0 : 1 / rank;
  });
