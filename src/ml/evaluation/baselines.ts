/** What all baselines keep of a group: how many labels it had, how many were true, and the last one (1, 0, or -1 for none). */
export interface GroupCounts {
  rows: number;
  positives: number;
  last: number;
}

export const emptyCounts = (): GroupCounts => ({ rows: 0, positives: 0, last: -1 });

/** Counts one more label, in place. */
export function addLabel(counts: GroupCounts, label: boolean): void {
  counts.rows += 1;
  if (label) counts.positives += 1;
  counts.last = label ? 1 : 0;
}

/**
 * A predictor so simple that a model which does not beat it is useless. A pure function of what one group of rows has
 * shown so far; `learn` keeps the counts and feeds it with the same delay as the model beside it.
 */
export interface Baseline<in Row = never> {
  readonly kind: string;
  /** Which group a row belongs to; all rows are one group where it is missing. */
  readonly by: ((row: Row) => string | number) | undefined;
  /** Groups kept; the one written longest ago makes room. */
  readonly groupsMax: number;
  probability(counts: Readonly<GroupCounts>): number;
}

/** What groups rows, and how many groups are kept. */
export interface RateByOptions<Row> {
  readonly by: (row: Row) => string | number;
  /** Groups kept at most; 10,000 by default. */
  readonly groupsMax?: number;
}

/** Rate of true labels with one imagined label of each kind, so that the first real one does not make it certain. */
const rate = ({ rows, positives }: Readonly<GroupCounts>): number => (positives + 1) / (rows + 2);

/**
 * Predicts the rate of true labels of the row's group so far (Laplace's rule of succession).
 *
 * @example rateBy({ by: (flight: Flight) => hourOfDay(flight) });
 */
export function rateBy<Row>({ by, groupsMax = 10_000 }: RateByOptions<Row>): Baseline<Row> {
  return Object.freeze({ kind: 'rate-by', by, groupsMax, probability: rate });
}

/**
 * Predicts the rate of true labels over all rows so far.
 *
 * @example learn(logisticRegression({ optimizer: ftrl() }), { as: 'late', baselines: { rate: runningRate() }, ... });
 */
export function runningRate(): Baseline<unknown> {
  return Object.freeze({ kind: 'running-rate', by: undefined, groupsMax: 1, probability: rate });
}

/**
 * Predicts, with certainty, whatever the last label was.
 *
 * @example learn(logisticRegression({ optimizer: ftrl() }), { as: 'late', baselines: { last: lastClass() }, ... });
 */
export function lastClass(): Baseline<unknown> {
  return Object.freeze({
    kind: 'last-class',
    by: undefined,
    groupsMax: 1,
    probability: ({ last }: Readonly<GroupCounts>) => (last < 0 ? 0.5 : last),
  });
}

/**
 * Predicts, with certainty, the label seen most often so far; "no" on a tie.
 *
 * @example learn(logisticRegression({ optimizer: ftrl() }), { as: 'late', baselines: { majority: majority() }, ... });
 */
export function majority(): Baseline<unknown> {
  return Object.freeze({
    kind: 'majority',
    by: undefined,
    groupsMax: 1,
    probability: ({ rows, positives }: Readonly<GroupCounts>) => (rows === 0 ? 0.5 : positives * 2 > rows ? 1 : 0),
  });
}
