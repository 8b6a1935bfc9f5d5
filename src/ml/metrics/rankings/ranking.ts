import type { Aggregate } from '../../../aggregates/aggregate.js';
import type { Labelled } from '../labelled.js';
import { isUsable } from '../labelled.js';
import { meanMetric, wholeProblems } from '../metric.js';

/** What is ranked: an article, a film, a document. */
export type Item = string | number;

/** What was relevant: a list of items, or the gain of each by its name. */
export type Relevant = readonly Item[] | Readonly<Record<string, number>>;

/** Items, the best first, and those that turned out to be relevant. */
export type RankingRow = Labelled<readonly Item[], Relevant>;

/** How many of the first items count. */
export interface RankingOptions {
  /** 10 by default; 1,000 at most. */
  readonly k?: number;
}

/** The gain of an item; 0 for one that was not relevant. An item that was ranked twice counts once. */
export type GainOf = (item: Item) => number;

/**
 * A metric that is the mean of a score of each ranking. `gains` are those of all relevant items, sorted, the greatest first. A row is
 * ignored if nothing was relevant: no order of its items would be better than another.
 */
export function rankingMetric(
  kind: string,
  { k = 10 }: RankingOptions,
  scoreOf: (items: readonly Item[], gainOf: GainOf, gains: readonly number[], k: number) => number,
): Aggregate<RankingRow, number | null> {
  return meanMetric<RankingRow>(
    kind,
    `${kind} of ${k}`,
    ({ prediction, label }) => {
      if (!Array.isArray(prediction) || typeof label !== 'object' || label === null) return Number.NaN;
      const byItem = gainsOf(label);
      const gains = [...byItem.values()].sort((a, b) => b - a);
      if (gains.length === 0) return Number.NaN;
      return scoreOf((prediction as readonly Item[]).slice(0, k), takeOnce(byItem), gains, k);
    },
    undefined,
    wholeProblems('k', k, 1, 1_000),
  );
}

/** Gains above 0 by the text of their items. */
function gainsOf(relevant: Relevant): Map<string, number> {
  if (Array.isArray(relevant)) return new Map(relevant.map((item: Item) => [String(item), 1]));
  return new Map(
    Object.entries<number>(relevant as Readonly<Record<string, number>>).filter(
      ([, gain]) => isUsable(gain) && gain > 0,
    ),
  );
}

function takeOnce(gains: ReadonlyMap<string, number>): GainOf {
  const left = new Map(gains);
  return (item) => {
    const name = String(item);
    const gain = left.get(name) ?? 0;
    left.delete(name);
    return gain;
  };
}
