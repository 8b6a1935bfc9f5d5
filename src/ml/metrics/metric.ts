import { type Additive, type Aggregate, type Numbers, ofNumbers } from '../../aggregates/aggregate.js';
import { addSum, addTerm, sumAt } from '../../aggregates/sum.js';
import type { Problem } from '../../core/index.js';
import { shareInterval } from './intervals.js';
import { type Labelled, weightOf } from './labelled.js';
import { sumSql } from './sql.js';

/**
 * Sums over rows, from which a metric is read. An accumulator is the number of rows, then plain sums, then compensated ones of two
 * numbers each. So accumulators are merged by adding them place by place, wherever they are kept.
 */
export interface Sums<in Row> {
  /** Counts, and weights by bin or class. */
  readonly plain?: number;
  /** Sums whose error must not grow with the number of rows: see `addTerm`. */
  readonly compensated?: number;
  /**
   * Adds a row to the first `count` of several accumulators, each from `at` on in its array; a negative weight takes it back. Says whether the
   * row could be used; if not, nothing has changed. A row that counts in several slices is read once for all of them.
   */
  add(into: readonly Numbers[], count: number, at: number, row: Row, weight: number): boolean;
  /** SQL of what is read, over at least one row; see `sql.ts`. */
  readonly sql?: ((sums: string) => string) | undefined;
  readonly interval?: Additive['interval'];
}

/**
 * Defines a metric. A row without a prediction, a label or a weight that can be used is ignored, as NaN is by other aggregates. The
 * result is null over no rows. Once all rows are taken back, every number is 0 again, whatever the rounding of weights was.
 */
export function metric<Row extends Pick<Labelled, 'weight'>, Result>(
  kind: string,
  text: string,
  { plain = 0, compensated = 0, add, sql, interval }: Sums<Row>,
  read: (from: Numbers, at: number) => Result,
  problems: readonly Problem[] = [],
): Aggregate<Row, Result | null> {
  const size = 1 + plain + 2 * compensated;
  const additive: Additive = { sql: sql && ((sums) => `if(${sums}[1] = 0, NULL, ${sql(sums)})`), interval };
  const updateEach = (into: readonly Numbers[], count: number, at: number, row: Row, times: 1 | -1): void => {
    const weight = weightOf(row);
    if (Number.isNaN(weight) || !add(into, count, at + 1, row, times * weight)) return;
    for (let k = 0; k < count; k++) {
      const own = into[k] as Numbers;
      const rows = (own[at] as number) + times;
      if (rows === 0) own.fill(0, at, at + size);
      else own[at] = rows;
    }
  };
  const single: Numbers[] = [];
  const update = (into: Numbers, at: number, row: Row, times: 1 | -1): void => {
    single[0] = into;
    updateEach(single, 1, at, row, times);
  };
  const merge = (into: Numbers, at: number, from: Numbers, fromAt: number): void => {
    for (let i = 0; i <= plain; i++) into[at + i] = (into[at + i] as number) + (from[fromAt + i] as number);
    for (let i = 1 + plain; i < size; i += 2) addSum(into, at + i, from, fromAt + i);
  };
  const ofSums = ofNumbers<Row, Result | null>(
    kind,
    text,
    {
      size,
      init: (into, at) => {
        for (let i = 0; i < size; i++) into[at + i] = 0;
      },
      add: (into, at, row) => update(into, at, row, 1),
      addEach: (into, count, at, row) => updateEach(into, count, at, row, 1),
      merge,
      result: (from, at) => (from[at] === 0 ? null : read(from, at + 1)),
      retract: (into, at, row) => update(into, at, row, -1),
    },
    problems,
  );
  return Object.freeze({ ...ofSums, additive });
}

/** What is read of a mean, and SQL of it. */
interface MeanReading {
  finish(mean: number): number;
  sql(mean: string): string;
  /** The score of a row is 0 or 1, so that the mean is a share. */
  readonly isShare?: boolean;
}

const asMean: MeanReading = { finish: (mean) => mean, sql: (mean) => mean };
export const asShare: MeanReading = { ...asMean, isShare: true };

/** Defines a metric that is the weighted mean of a score of each row; NaN is the score of a row that cannot be used. */
export function meanMetric<Row extends Pick<Labelled, 'weight'>>(
  kind: string,
  text: string,
  scoreOf: (row: Row) => number,
  { finish, sql, isShare = false }: MeanReading = asMean,
  problems: readonly Problem[] = [],
): Aggregate<Row, number | null> {
  return metric<Row, number>(
    kind,
    text,
    {
      plain: 1,
      compensated: 2,
      add(into, count, at, row, weight) {
        const score = scoreOf(row);
        if (!Number.isFinite(score)) return false;
        for (let k = 0; k < count; k++) {
          const own = into[k] as Numbers;
          // Rows of weight 1 are counted, which is faster than a compensated sum; then the weight of others, and the scores.
          if (weight === 1 || weight === -1) own[at] = (own[at] as number) + weight;
          else addTerm(own, at + 1, weight);
          addTerm(own, at + 3, weight * score);
        }
        return true;
      },
      sql: (sums) => sql(`${sumSql(sums, 3)} / (${sums}[2] + ${sumSql(sums, 1)})`),
      interval: isShare
        ? // Of rows that all weigh 1: of others it is not known how much they tell.
          ([rows = 0, single = 0, , , right = 0]) => (single === rows ? shareInterval(right, rows) : undefined)
        : undefined,
    },
    (from, at) => finish(sumAt(from, at + 3) / ((from[at] as number) + sumAt(from, at + 1))),
    problems,
  );
}

/** The problems of an option that must be a whole number within limits. */
export function wholeProblems(option: string, value: number, min: number, max: number): Problem[] {
  if (Number.isInteger(value) && value >= min && value <= max) return [];
  return [{ message: `${option} is ${value}`, hint: `give a whole number from ${min} to ${max}` }];
}

/** The problems of declared classes. */
export function classProblems(classes: readonly unknown[] | undefined, classesMax = 1_000): Problem[] {
  if (classes === undefined) return [];
  const problems = wholeProblems('the number of classes', classes.length, 2, classesMax);
  if (new Set(classes.map(String)).size === classes.length) return problems;
  return [...problems, { message: 'a class is declared twice', hint: 'classes differ in their texts' }];
}

/** The text of what a metric judges; accumulators of another text are not taken over. */
export const classesText = (classes: readonly unknown[] | undefined): string =>
  classes === undefined ? '' : ` of classes ${classes.map(String).join(', ')}`;
