import type { Aggregate } from '../../../aggregates/aggregate.js';
import { letSql } from '../sql.js';
import type { ClassWeightsSql } from './confusion-table.js';
import { type ConfusionTable, classWeights, tableMetric, weightOfAll } from './confusion-table.js';
import type { DecidedBy, DecisionOptions } from './decision.js';

/**
 * Matthews correlation coefficient: how decisions and labels correlate, from -1 to 1. 0 is what deciding by chance gives, however
 * rare a class is.
 *
 * @example
 * const scores = { fraud: mcc(), weather: mcc({ classes: ['sun', 'rain', 'snow'] }) };
 *
 * 0 where all labels or all decisions are of one class. Decisions as of `accuracy`. Retracts. Memory: two numbers for each pair of
 * classes. Source: Matthews, 1975; of several classes Gorodkin, 2004.
 */
export const mcc = <O extends DecisionOptions = { threshold?: number }>(
  options?: O,
): Aggregate<DecidedBy<O>, number | null> => tableMetric('mcc', (options ?? {}) as O, mccOf, { sql: mccSql });

function mccOf(table: ConfusionTable): number {
  const all = weightOfAll(table);
  const classes = classWeights(table);
  const sum = (of: (one: (typeof classes)[number]) => number): number =>
    classes.reduce((total, one) => total + of(one), 0);
  const undeclared = all - sum(({ decisions }) => decisions);
  const right = sum((one) => one.right);
  const together = right * all - sum(({ labels, decisions }) => labels * decisions);
  const ofDecisions = all * all - sum(({ decisions }) => decisions * decisions) - undeclared * undeclared;
  const ofLabels = all * all - sum(({ labels }) => labels * labels);
  return ofDecisions > 0 && ofLabels > 0 ? together / Math.sqrt(ofDecisions * ofLabels) : 0;
}

const mccSql = ({ right, labels, decisions }: ClassWeightsSql): string => {
  const together = `arraySum(${right}) * everything - arraySum((l, d) -> l * d, ${labels}, ${decisions})`;
  const undeclared = `(everything - arraySum(${decisions}))`;
  const ofDecisions = `everything * everything - arraySum(d -> d * d, ${decisions}) - ${undeclared} * ${undeclared}`;
  const ofLabels = `everything * everything - arraySum(l -> l * l, ${labels})`;
  const correlated = `if(ds > 0 AND ls > 0, (${together}) / sqrt(ds * ls), 0)`;
  return letSql('everything', `arraySum(${labels})`, letSql('ds', ofDecisions, letSql('ls', ofLabels, correlated)));
};
