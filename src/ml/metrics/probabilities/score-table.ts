import type { Aggregate, Numbers } from '../../../aggregates/aggregate.js';
import type { ConfidenceInterval } from '../../../core/record.js';
import { type Labelled, probabilityOf, type ScoredBy, type ScoreOptions, scoreReader, truthOf } from '../labelled.js';
import { classesText, classProblems, metric, wholeProblems } from '../metric.js';
import { finiteSql, meanSql, sliceSql } from '../sql.js';

/** How scores are put into bins. */
export interface BinOptions extends ScoreOptions {
  /** 512 by default, 65,536 at most. */
  readonly bins?: number;
  /** What all bins are equally wide in: probabilities (the default), or their log-odds, which tells scores near 0 and 1 apart. */
  readonly scale?: 'probability' | 'log-odds';
}

/** Of one class: the weight of rows that happened and of rows that did not, by bin of their score. */
export interface ScoreTable {
  readonly positives: ArrayLike<number>;
  readonly negatives: ArrayLike<number>;
}

/** Where the exact figure is, whatever the order of scores within their bins. */
export interface MetricRange {
  readonly low: number;
  readonly high: number;
}

/** The bin of a probability; what is not a number lands in the first. */
export function scoreBin(probability: number, bins: number): number {
  const bin = Math.floor(probability * bins);
  return bin > 0 ? Math.min(bin, bins - 1) : 0;
}

/** Log-odds beyond it, of probabilities within 1.2e-7 of 0 and 1, share the outer bins. */
const LOG_ODDS_MAX = 16;

const logOddsBin = (probability: number, bins: number): number =>
  scoreBin((Math.log(probability / (1 - probability)) + LOG_ODDS_MAX) / (2 * LOG_ODDS_MAX), bins);

/**
 * A metric that is read from the weights of rows by label and bin of the score. Of several classes it is the mean of what is read of
 * each (one against the rest), over those that have a value; `sql` is that of one class. An `interval` is given where labels are true or
 * false, and the weights of rows add up to their number.
 */
export function scoreMetric<O extends BinOptions, Result>(
  kind: string,
  options: O,
  read: (tables: readonly ScoreTable[]) => Result,
  sql?: (positives: string, negatives: string) => string,
  interval?: (table: ScoreTable, happened: number, not: number) => ConfidenceInterval | undefined,
): Aggregate<ScoredBy<O>, Result | null> {
  const { classes, bins = 512, scale = 'probability' } = options;
  const binOf = scale === 'log-odds' ? logOddsBin : scoreBin;
  const scoreOf = scoreReader(classes ?? []);
  const ofClasses = classes !== undefined;
  const tables = classes?.length ?? 1;
  const width = 2 + 2 * bins;
  const places = Array.from({ length: tables }, (_, c) => c);
  const tableSql = (sums: string, c: number, of: NonNullable<typeof sql>): string =>
    of(sliceSql(sums, c * width + 2, bins), sliceSql(sums, c * width + 2 + bins, bins));
  // A class: rows that happened, rows that did not, then the weights of both by bin.
  const note = (
    into: readonly Numbers[],
    count: number,
    at: number,
    score: number,
    happened: boolean,
    weight: number,
  ): void => {
    const side = happened ? 0 : 1;
    const start = at + 2 + side * bins;
    const bin = start + binOf(score, bins);
    for (let k = 0; k < count; k++) {
      const own = into[k] as Numbers;
      const rows = (own[at + side] as number) + Math.sign(weight);
      own[at + side] = rows;
      if (rows === 0) own.fill(0, start, start + bins);
      else own[bin] = (own[bin] as number) + weight;
    }
  };
  return metric<Labelled, Result>(
    kind,
    `${kind} in ${bins} bins of ${scale}${classesText(classes)}`,
    {
      plain: tables * width,
      add(into, count, at, { prediction, label }, weight) {
        if (!ofClasses) {
          const score = probabilityOf(prediction);
          const truth = truthOf(label);
          if (Number.isNaN(score) || Number.isNaN(truth)) return false;
          note(into, count, at, score, truth === 1, weight);
          return true;
        }
        const place = classes.indexOf(label as never);
        if (place < 0) return false;
        for (let c = 0; c < tables; c++) if (Number.isNaN(probabilityOf(scoreOf(prediction, c)))) return false;
        for (let c = 0; c < tables; c++) note(into, count, at + c * width, scoreOf(prediction, c), c === place, weight);
        return true;
      },
      sql: sql && ((sums) => finiteSql(meanSql(`[${places.map((c) => tableSql(sums, c, sql)).join(', ')}]`))),
      interval:
        interval && !ofClasses
          ? (sums) => {
              const [, happened = 0, not = 0, ...weights] = sums;
              const table = { positives: weights.slice(0, bins), negatives: weights.slice(bins) };
              const isPlain = total(table.positives) === happened && total(table.negatives) === not;
              return isPlain ? interval(table, happened, not) : undefined;
            }
          : undefined,
    },
    (from, at) =>
      read(
        Array.from({ length: tables }, (_, c) => {
          const start = at + c * width + 2;
          return { positives: from.slice(start, start + bins), negatives: from.slice(start + bins, start + 2 * bins) };
        }),
      ),
    [...wholeProblems('the number of bins', bins, 2, 65_536), ...classProblems(classes)],
  ) as Aggregate<ScoredBy<O>, Result | null>;
}

const total = (weights: readonly number[]): number => weights.reduce((sum, weight) => sum + weight, 0);

/** The mean over the tables that have a value; null without any. */
export function meanOver(tables: readonly ScoreTable[], of: (table: ScoreTable) => number): number | null {
  const values = tables.map(of).filter((value) => !Number.isNaN(value));
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The range of a mean over tables: the mean of their ranges. */
export function meanRange(tables: readonly ScoreTable[], of: (table: ScoreTable) => MetricRange): MetricRange | null {
  const low = meanOver(tables, (table) => of(table).low);
  const high = meanOver(tables, (table) => of(table).high);
  return low === null || high === null ? null : { low, high };
}
