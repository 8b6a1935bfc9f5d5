import type { Aggregate } from '../../../aggregates/aggregate.js';
import { type RankingOptions, type RankingRow, rankingMetric } from './ranking.js';

/**
 * Hit rate at k: the share of rankings with a relevant item among the first `k`. Of one relevant item it is the recall at k.
 *
 * @example
 * const scores = { films: hitRate({ k: 3 }) };
 *
 * Rows without a relevant item are ignored. Retracts. Memory: six numbers.
 */
export const hitRate = (options: RankingOptions = {}): Aggregate<RankingRow, number | null> =>
  rankingMetric('hit rate', options, (items, gainOf) => Number(items.some((item) => gainOf(item) > 0)));
