import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { days, type FeatureVector } from '../../../src/core/index.js';
import { featureView, numeric } from '../../../src/ml/features/index.js';
import { kMeans, pipe, standardScaler } from '../../../src/ml/index.js';
import { type AssignedCluster, assignCluster } from '../../../src/operators/ml/assign-cluster.js';
import { type DrivenInput, driveOperator } from '../../../src/testing/drive-operator.js';
import { checkOperator } from '../../../src/testing/operator-contract.js';

interface Row {
  readonly x: number;
}

const view = featureView({
  name: 'rows',
  version: 1,
  columns: { x: (row: Row) => row.x },
  features: { x: numeric('x') },
});
const operator = assignCluster(kMeans({ clusters: 2 }), { as: 'segment', view, versionEveryRecords: 2 });

const hour = 3_600_000;
const at = (h: number) => days(400) + h * hour;
const features = (row: Row): FeatureVector => view.open().vector(row);
const arrival = (x: number, h = 0): DrivenInput => ({ value: { x, features: features({ x }) }, eventTimeMs: at(h) });
const drive = (rows: readonly DrivenInput[]) => {
  const driven = driveOperator(operator, rows);
  if (driven.failure) throw new Error(driven.failure);
  return { ...driven, said: driven.emitted.map(({ value }) => (value as { segment: AssignedCluster }).segment) };
};

describe('assignCluster', () => {
  it('says the nearest cluster first, and moves it after', () => {
    const { said, emitted, counters } = drive([1, 9, 3, 8, 3].map((x) => arrival(x)));
    expect(said).toEqual([
      { cluster: 0, distance: 0, modelVersion: 'assignCluster.0.0' },
      { cluster: 1, distance: 0, modelVersion: 'assignCluster.0.0' },
      { cluster: 0, distance: 2, modelVersion: 'assignCluster.0.2' }, // the centre moves to 2
      { cluster: 1, distance: 1, modelVersion: 'assignCluster.0.2' },
      { cluster: 0, distance: 1, modelVersion: 'assignCluster.0.4' },
    ]);
    expect(emitted[1]?.value).toMatchObject({ x: 9 });
    expect(counters).toEqual({ predicted: 5, learned: 5 });
  });

  it('measures how far records are from their clusters', () => {
    const { measures } = drive([arrival(1, 0.1), arrival(9, 0.2), arrival(3, 0.3), arrival(3, 1.1), arrival(3, 2.1)]);
    expect(measures).toEqual([
      { name: 'assigned', value: 3, eventTimeMs: at(1), version: 'assignCluster.0.2', weight: 'sum' },
      { name: 'distance_mean', value: 2 / 3, eventTimeMs: at(1), version: 'assignCluster.0.2', weight: 3 },
      { name: 'assigned', value: 1, eventTimeMs: at(2), version: 'assignCluster.0.4', weight: 'sum' },
      { name: 'distance_mean', value: 1, eventTimeMs: at(2), version: 'assignCluster.0.4', weight: 1 },
    ]);
  });

  it('counts records that the learner refuses, which move nothing', () => {
    const { counters, said } = drive([arrival(1), arrival(9), arrival(Number.NaN), arrival(3)]);
    expect(counters).toEqual({ predicted: 4, learned: 3, refused: 1, 'refused:not-finite': 1 });
    expect(said.at(-1)).toMatchObject({ cluster: 0, distance: 2 });
  });

  it('keeps the contract of operators: deterministic, restored anywhere, inputs untouched', () => {
    const scaled = assignCluster(pipe(standardScaler(), kMeans({ clusters: 3, halfLife: 4 })), { as: 'segment', view });
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 25 }), (xs) =>
        checkOperator(
          scaled,
          xs.map((x, i) => arrival(x, i / 4)),
        ),
      ),
      { numRuns: 20 },
    );
  });
});
