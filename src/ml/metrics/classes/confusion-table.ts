import type { Aggregate, Numbers } from '../../../aggregates/aggregate.js';
import type { Problem } from '../../../core/index.js';
import type { Labelled } from '../labelled.js';
import { metric } from '../metric.js';
import { type DecidedBy, type DecisionOptions, deciderOf } from './decision.js';

/** The weight of rows by label, then by decision. */
export type ConfusionTable = readonly (readonly number[])[];

/**
 * A metric that is read from the weights of rows by label and decision. Each cell also counts its rows: where all were taken back
 * the weight is 0, and not what rounding left.
 */
export function tableMetric<O extends DecisionOptions, Result>(
  kind: string,
  options: O,
  read: (table: ConfusionTable) => Result,
  more: { readonly problems?: readonly Problem[]; readonly sql?: (weights: ClassWeightsSql) => string } = {},
): Aggregate<DecidedBy<O>, Result | null> {
  const { text, problems, classes, decisions, labelOf, decisionOf } = deciderOf(options);
  return metric<Labelled, Result>(
    kind,
    `${kind}${text}`,
    {
      plain: 2 * classes * decisions,
      add(into, count, at, { prediction, label }, weight) {
        const of = labelOf(label);
        const decided = decisionOf(prediction);
        if (of < 0 || decided < 0) return false;
        const cell = at + 2 * (of * decisions + decided);
        for (let k = 0; k < count; k++) {
          const own = into[k] as Numbers;
          const rows = (own[cell] as number) + Math.sign(weight);
          own[cell] = rows;
          own[cell + 1] = rows === 0 ? 0 : (own[cell + 1] as number) + weight;
        }
        return true;
      },
      sql: more.sql && ((sums) => more.sql?.(weightsSql(sums, classes, decisions)) ?? ''),
    },
    (from, at) =>
      read(
        Array.from({ length: classes }, (_, of) =>
          Array.from({ length: decisions }, (_, decided) => from[at + 2 * (of * decisions + decided) + 1] as number),
        ),
      ),
    [...problems, ...(more.problems ?? [])],
  ) as Aggregate<DecidedBy<O>, Result | null>;
}

/** Of a class: the weight of right decisions for it, of its labels, and of decisions for it. */
export interface ClassWeights {
  readonly right: number;
  readonly labels: number;
  readonly decisions: number;
}

/** SQL of arrays by class: the weight of right decisions for it, of its labels, and of decisions for it. */
export interface ClassWeightsSql {
  readonly right: string;
  readonly labels: string;
  readonly decisions: string;
}

function weightsSql(sums: string, classes: number, decisions: number): ClassWeightsSql {
  const cell = (of: string, decided: string) => `${sums}[3 + 2 * (${of} * ${decisions} + ${decided})]`;
  const each = (expression: string) => `arrayMap(c -> ${expression}, range(${classes}))`;
  return {
    right: each(cell('c', 'c')),
    labels: each(`arraySum(d -> ${cell('c', 'd')}, range(${decisions}))`),
    decisions: each(`arraySum(o -> ${cell('o', 'c')}, range(${classes}))`),
  };
}

const total = (weights: readonly number[]): number => weights.reduce((sum, weight) => sum + weight, 0);

/** The weights of each class, in their order. */
export const classWeights = (table: ConfusionTable): ClassWeights[] =>
  table.map((row, c) => ({
    right: row[c] as number,
    labels: total(row),
    decisions: total(table.map((of) => of[c] as number)),
  }));

export const weightOfAll = (table: ConfusionTable): number => total(table.map(total));
