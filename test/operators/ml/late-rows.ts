import { days, type FeatureVector, hours } from '../../../src/core/index.js';
import { featureView, hashed, numeric } from '../../../src/ml/features/index.js';
import { type DrivenInput, driveOperator } from '../../../src/testing/drive-operator.js';

// Rows, and labels that come later and say whether they were late: the input of the tests of operators that learn.

export interface Row {
  readonly id: number;
  readonly place: string;
  readonly size: number;
}
export interface Truth {
  readonly id: number;
  readonly late: boolean;
}

export const view = featureView({
  name: 'rows',
  version: 1,
  hashBits: 6,
  columns: { place: (row: Row) => row.place, size: (row: Row) => row.size },
  features: { size: numeric('size', { scale: 10 }), placeIs: hashed('place') },
});
export const features = (row: Row): FeatureVector => view.open().vector(row);

/** Options of an operator that learns whether a row is late. */
export const common = {
  as: 'late',
  view,
  key: (row: Row) => row.id,
  label: { key: (truth: Truth) => truth.id, value: (truth: Truth) => truth.late, wait: hours(3) },
  pendingMax: 100,
} as const;

export const hour = 3_600_000;
export const at = (h: number): number => days(400) + h * hour;
export const arriving = (row: Row, h: number) => ({
  input: 0,
  value: { ...row, features: features(row) },
  eventTimeMs: at(h),
});
export const labelled = ({ id, late }: Truth, h: number) => ({ input: 1, value: { id, late }, eventTimeMs: at(h) });

/** What came out, also of each output, and what was counted and measured. */
export function drive(step: Parameters<typeof driveOperator>[0], arrivals: readonly DrivenInput[]) {
  const driven = driveOperator(step, arrivals);
  if (driven.failure) throw new Error(driven.failure);
  const of = (output: string) => driven.emitted.filter((each) => each.output === output).map(({ value }) => value);
  return { ...driven, of };
}
