import type { Aggregate } from '../../../aggregates/aggregate.js';
import { type RankingOptions, type RankingRow, rankingMetric } from './ranking.js';

/**
 * NDCG at k: the gains of the first `k` items, each divided by the logarithm of its rank, as a share of what the best order would give.
 *
 * @example
 * const scores = { films: ndcg({ k: 5 }) };
 * // of { prediction: ['a', 'b', 'c'], label: { b: 3, c: 1 } }: 0.6590
 *
 * An item of a list of relevant ones has the gain 1; gains count as they are. Rows without a relevant item are ignored. Retracts.
 * Memory: six numbers. Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002.
 */
export const ndcg = (options: RankingOptions = {}): Aggregate<RankingRow, number | null> =>
  rankingMetric(
    'ndcg',
    options,
    (items, gainOf, gains, k) => discounted(items.map(gainOf)) / discounted(gains.slice(0, k)),
  );

const discounted = (gains: readonly number[]): number =>
  gains.reduce((sum, gain, at) => sum + gain / Math.log2(at + 2), 0);
