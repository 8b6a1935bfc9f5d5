import type { Aggregate, Numbers } from '../../../aggregates/aggregate.js';
import { addTerm, sumAt } from '../../../aggregates/sum.js';
import type { BinaryLabel, Labelled } from '../labelled.js';
import { metric } from '../metric.js';
import { letSql, sumSql } from '../sql.js';
import { rowLogLoss } from './log-loss.js';

/**
 * Normalized entropy: the log loss divided by that of always saying the rate of true labels, of the same rows. Below 1 the model knows
 * more than the rate. It can be compared between slices of different rates, which log loss cannot.
 *
 * @example
 * const scores = { clicks: normalizedEntropy() };
 *
 * Null if all labels are the same. Retracts. Memory: eight numbers.
 * Source: He et al., "Practical lessons from predicting clicks on ads at Facebook", ADKDD 2014.
 */
export const normalizedEntropy = (): Aggregate<Labelled<number, BinaryLabel>, number | null> =>
  metric<Labelled<number, BinaryLabel>, number | null>(
    'normalized entropy',
    'normalized entropy',
    {
      plain: 1,
      compensated: 3,
      add(into, count, at, { prediction, label }, weight) {
        const loss = rowLogLoss(prediction, label);
        if (Number.isNaN(loss)) return false;
        for (let k = 0; k < count; k++) {
          const own = into[k] as Numbers;
          addTerm(own, at + 1, weight);
          addTerm(own, at + 3, weight * loss);
          if (label === false || label === 0) continue;
          // Counted as well: what rounding leaves of weights that were taken back is no label.
          own[at] = (own[at] as number) + Math.sign(weight);
          addTerm(own, at + 5, weight);
        }
        return true;
      },
      sql: sqlOf,
    },
    (from, at) => {
      const all = sumAt(from, at + 1);
      const rate = from[at] === 0 ? 0 : sumAt(from, at + 5) / all;
      const entropy = -rate * Math.log(rate) - (1 - rate) * Math.log(1 - rate);
      return entropy > 0 ? sumAt(from, at + 3) / all / entropy : null;
    },
  );

function sqlOf(sums: string): string {
  const all = sumSql(sums, 1);
  const rate = `if(${sums}[2] = 0, 0, ${sumSql(sums, 5)} / ${all})`;
  const entropy = '-rate * log(rate) - (1 - rate) * log(1 - rate)';
  const relative = letSql('entropy', entropy, `if(entropy > 0, ${sumSql(sums, 3)} / ${all} / entropy, NULL)`);
  return letSql('rate', rate, relative);
}
