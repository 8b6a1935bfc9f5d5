import { expect, it } from 'vitest';
import { NewestMeasures } from '../../../src/runtime/measures/newest-measures.js';

function noted(
  ...rows: readonly (readonly [name: string, slice: string, version: string, eventTimeMs: number, value: number])[]
) {
  const measures = new NewestMeasures();
  const noted = rows.map(([name, slice, version, eventTimeMs, value]) => ({
    row: { topology: 't', step: 's', task: 0, name, slice, version, eventTimeMs, value },
    interval: undefined,
  }));
  expect(measures.note(noted)).toEqual(noted.map(({ row }) => row));
  return measures;
}
const values = (measures: NewestMeasures) =>
  measures.bySlice().map(({ row: { name, slice, version, value } }) => [name, slice, version, value].join(' '));

it('keeps what is newest by event time, and the last of the same time', () => {
  const measures = noted(
    ['auc', '', 'v1', 1, 0.1],
    ['auc', '', 'v1', 3, 0.3],
    ['auc', '', 'v1', 2, 0.2],
    ['auc', '', 'v1', 3, 0.4],
  );
  expect(values(measures)).toEqual(['auc  v1 0.4']);
  expect(measures.ofAll().map(({ value }) => value)).toEqual([0.4]);
});

it('keeps versions of the same time side by side, and none of an earlier one', () => {
  const measures = noted(
    ['auc', 'a=1', 'v1', 1, 0.1],
    ['auc', 'a=1', 'v1', 2, 0.2],
    ['auc', 'a=1', 'v2', 2, 0.3],
    ['auc', '', 'v2', 2, 0.4],
  );
  expect(values(measures)).toEqual(['auc  v2 0.4', 'auc a=1 v1 0.2', 'auc a=1 v2 0.3']);
  expect(measures.ofAll()).toHaveLength(1);
  expect(values(noted(['auc', '', 'v1', 1, 0.1], ['auc', '', 'v2', 2, 0.2]))).toEqual(['auc  v2 0.2']);
});

it('is bounded: 500 slices, of which the one measured longest ago goes, and 11 versions', () => {
  const slices = Array.from({ length: 501 }, (_, i) => ['auc', `a=${i}`, 'v', 1, i] as const);
  const kept = values(
    noted(['auc', '', 'v', 1, 0.5], ...slices.slice(0, 2), ['auc', 'a=0', 'v', 1, 7], ...slices.slice(2)),
  );
  expect(kept).toHaveLength(501);
  expect(kept.slice(0, 3)).toEqual(['auc  v 0.5', 'auc a=0 v 7', 'auc a=2 v 2']);
  const versions = Array.from({ length: 20 }, (_, i) => ['auc', '', `v${i}`, 1, i] as const);
  expect(values(noted(...versions))).toEqual(
    versions.slice(-11).map(([, , version, , value]) => `auc  ${version} ${value}`),
  );
});
