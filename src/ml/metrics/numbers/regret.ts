import type { Aggregate, Numbers } from '../../../aggregates/aggregate.js';
import { addTerm, sumAt } from '../../../aggregates/sum.js';
import { metric } from '../metric.js';
import { sumSql } from '../sql.js';
import { errorOf, type NumberRow } from './number-row.js';

/**
 * Regret: what choices have lost, in all, against the best ones. The prediction is the reward that a choice gave, the label the reward that
 * the best choice would have given.
 *
 * @example
 * const scores = metricsOf((shown: Offer) => ({ prediction: shown.revenue, label: shown.bestRevenue }), { lost: regret() });
 *
 * It is a sum by weight, and grows ever slower if choices become good. Numbers beyond 1e90 are ignored. Retracts. Memory: three numbers.
 */
export const regret = (): Aggregate<NumberRow, number | null> =>
  metric<NumberRow, number>(
    'regret',
    'regret',
    {
      compensated: 1,
      add(into, count, at, row, weight) {
        const off = errorOf(row);
        if (Number.isNaN(off)) return false;
        for (let k = 0; k < count; k++) addTerm(into[k] as Numbers, at, -weight * off);
        return true;
      },
      sql: (sums) => sumSql(sums, 0),
    },
    sumAt,
  );
