import { MillraceError } from '../../core/errors.js';
import { requireNotNegative } from '../check-options.js';

/** What labels are: true or false, numbers, or declared classes (by their place in the declaration). */
export type LabelKind = 'binary' | 'number' | 'class';

/** What all baselines keep of a group: its labels as numbers, how many (by weight), their sum and the last one (-1 before the first). */
export interface GroupCounts {
  rows: number;
  sum: number;
  last: number;
  /** Labels of each class, where labels are classes. */
  byClass?: number[];
}

export const emptyCounts = (classes = 0): GroupCounts =>
  classes > 0
    ? { rows: 0, sum: 0, last: -1, byClass: new Array<number>(classes).fill(0) }
    : { rows: 0, sum: 0, last: -1 };

/** Counts one more label of a weight, in place. */
export function addLabel(counts: GroupCounts, label: number, weight: number): void {
  counts.rows += weight;
  counts.sum += weight * label;
  counts.last = label;
  if (counts.byClass) counts.byClass[label] = (counts.byClass[label] as number) + weight;
}

declare const LABELS: unique symbol;

/**
 * A predictor so simple that a model which does not beat it is useless. A pure function of what one group of rows has
 * shown so far; `learn` keeps the counts and feeds it with the same delay as the model beside it.
 */
export interface Baseline<in Row = never, in K extends LabelKind = 'binary'> {
  readonly kind: string;
  /** Which group a row belongs to; all rows are one group where it is missing. */
  readonly by: ((row: Row) => string | number) | undefined;
  /** Groups kept; the one written longest ago makes room. */
  readonly groupsMax: number;
  /** A probability, a number or a class (its place), by what labels are. */
  predict(counts: Readonly<GroupCounts>): number;
  readonly [LABELS]?: ((kind: K) => void) | undefined;
}

/** What groups rows, and how many groups are kept. */
export interface RateByOptions<Row> {
  readonly by: (row: Row) => string | number;
  /** Groups kept at most; 10,000 by default. */
  readonly groupsMax?: number;
}

/** Rate of true labels with one imagined label of each kind, so that the first real one does not make it certain. */
const rate = ({ rows, sum }: Readonly<GroupCounts>): number => (sum + 1) / (rows + 2);

const meanFrom =
  (prior: number, weight: number) =>
  ({ rows, sum }: Readonly<GroupCounts>): number =>
    rows === 0 ? prior : (sum + weight * prior) / (rows + weight);

const ofAllRows = { by: undefined, groupsMax: 1 };

/**
 * Predicts the rate of true labels of the row's group so far (Laplace's rule of succession).
 *
 * @example rateBy({ by: (flight: Flight) => hourOfDay(flight) });
 */
export function rateBy<Row>({ by, groupsMax = 10_000 }: RateByOptions<Row>): Baseline<Row> {
  return Object.freeze({ kind: 'rate-by', by, groupsMax, predict: rate });
}

/**
 * Predicts the rate of true labels over all rows so far.
 *
 * @example learn(logisticRegression({ optimizer: ftrl() }), { as: 'late', baselines: { rate: runningRate() }, ... });
 */
export function runningRate(): Baseline<unknown> {
  return Object.freeze({ kind: 'running-rate', ...ofAllRows, predict: rate });
}

/** What groups rows, and what is known before the first label of a group. */
export interface MeanByOptions<Row> extends RateByOptions<Row> {
  /** The mean of a group without labels; 0 by default. */
  readonly prior?: number;
  /** How many labels the prior counts as; 0 by default. */
  readonly priorWeight?: number;
}

/**
 * Predicts the mean label of the row's group so far; `prior` for a group without labels. With a `priorWeight`, the mean of a group with few
 * labels is drawn towards the prior.
 *
 * @example meanBy({ by: (rating: Rating) => rating.film, prior: 3.5, priorWeight: 5 });
 * @throws MillraceError `config` where the prior is no number, or its weight is below 0
 */
export function meanBy<Row>({
  by,
  groupsMax = 10_000,
  prior = 0,
  priorWeight = 0,
}: MeanByOptions<Row>): Baseline<Row, 'number'> {
  requireNotNegative('meanBy', { priorWeight });
  if (!Number.isFinite(prior))
    throw new MillraceError('config', `meanBy: prior is ${prior}`, { where: 'meanBy', hint: 'give it a usual label' });
  return Object.freeze({ kind: 'mean-by', by, groupsMax, predict: meanFrom(prior, priorWeight) });
}

/**
 * Predicts the mean label over all rows so far; 0 before the first label.
 *
 * @example learn(linearRegression({ optimizer: sgd({ rate: 0.01 }) }), { as: 'delay', baselines: { mean: runningMean() }, ... });
 */
export function runningMean(): Baseline<unknown, 'number'> {
  return Object.freeze({ kind: 'running-mean', ...ofAllRows, predict: meanFrom(0, 0) });
}

/**
 * Predicts the last label; 0 before the first.
 *
 * @example learn(linearRegression({ optimizer: sgd({ rate: 0.01 }) }), { as: 'delay', baselines: { last: lastNumber() }, ... });
 */
export function lastNumber(): Baseline<unknown, 'number'> {
  return Object.freeze({
    kind: 'last-number',
    ...ofAllRows,
    predict: ({ rows, last }: Readonly<GroupCounts>) => (rows === 0 ? 0 : last),
  });
}

/**
 * Predicts, with certainty, whatever the last label was; the first of several classes before there is one.
 *
 * @example learn(logisticRegression({ optimizer: ftrl() }), { as: 'late', baselines: { last: lastClass() }, ... });
 */
export function lastClass(): Baseline<unknown, 'binary' | 'class'> {
  return Object.freeze({
    kind: 'last-class',
    ...ofAllRows,
    predict: ({ last, byClass }: Readonly<GroupCounts>) => (last >= 0 ? last : byClass ? 0 : 0.5),
  });
}

/**
 * Predicts, with certainty, the label seen most often so far; on a tie "no", or the class declared first.
 *
 * @example learn(logisticRegression({ optimizer: ftrl() }), { as: 'late', baselines: { majority: majority() }, ... });
 */
export function majority(): Baseline<unknown, 'binary' | 'class'> {
  return Object.freeze({
    kind: 'majority',
    ...ofAllRows,
    predict({ rows, sum, byClass }: Readonly<GroupCounts>) {
      if (byClass) return byClass.indexOf(Math.max(...byClass));
      return rows === 0 ? 0.5 : sum * 2 > rows ? 1 : 0;
    },
  });
}
