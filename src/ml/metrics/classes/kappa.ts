import type { Aggregate } from '../../../aggregates/aggregate.js';
import { letSql } from '../sql.js';
import type { ClassWeightsSql } from './confusion-table.js';
import { type ConfusionTable, classWeights, tableMetric, weightOfAll } from './confusion-table.js';
import type { DecidedBy, DecisionOptions } from './decision.js';

/**
 * Cohen's kappa: how much of the agreement that chance leaves open decisions and labels have. 1 if all decisions are right, 0 if no
 * more are than chance explains.
 *
 * @example
 * const scores = { fraud: kappa(), weather: kappa({ classes: ['sun', 'rain', 'snow'] }) };
 *
 * Null where chance explains all, because all labels and decisions are of one class. Decisions as of `accuracy`. Retracts. Memory: two
 * numbers for each pair of classes. Source: Cohen, 1960.
 */
export const kappa = <O extends DecisionOptions = { threshold?: number }>(
  options?: O,
): Aggregate<DecidedBy<O>, number | null> => tableMetric('kappa', (options ?? {}) as O, kappaOf, { sql: kappaSql });

function kappaOf(table: ConfusionTable): number | null {
  const all = weightOfAll(table);
  let right = 0;
  let byChance = 0;
  for (const one of classWeights(table)) {
    right += one.right / all;
    byChance += (one.labels / all) * (one.decisions / all);
  }
  return byChance < 1 ? (right - byChance) / (1 - byChance) : null;
}

const kappaSql = ({ right, labels, decisions }: ClassWeightsSql): string => {
  const agreed = `(arraySum(${right}) / everything - chance) / (1 - chance)`;
  const chance = `arraySum((l, d) -> (l / everything) * (d / everything), ${labels}, ${decisions})`;
  return letSql('everything', `arraySum(${labels})`, letSql('chance', chance, `if(chance < 1, ${agreed}, NULL)`));
};
