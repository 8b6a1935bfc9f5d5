import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chance, kMeans } from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { agreesWithPeer, onlyDense } from '../../peers.js';
import { openLearner, vector } from '../../support.js';

const plane = { denseSize: 2, hashedSize: 0 };
const nearest = (distances: Float64Array): number => distances.indexOf(Math.min(...distances));
const initial = [
  [-1, 0, 0, 0],
  [0, 1, 0, 0],
  [1, 0, -1, 0],
];

describe('kMeans', () => {
  it.each([
    ['k-means', 1],
    ['k-means slow', 20],
  ])('has the distances of River’s %s', (name, halfLife) => {
    const initialWeight = 1 / (1 - 2 ** (-1 / halfLife));
    agreesWithPeer(name, kMeans({ clusters: 3, halfLife, initial, initialWeight }), () => undefined, onlyDense);
  });

  it('begins with the first rows that differ, and finds clusters that lie apart', () => {
    const model = openLearner(kMeans({ clusters: 3 }), plane);
    const at = [
      [0, 0],
      [9, 0],
      [0, 9],
    ] as const;
    const row = (i: number) => {
      const [x, y] = at[i % 3] as readonly [number, number];
      return vector([x + chance(1, 0, i), y + chance(1, 1, i)]);
    };
    expect([...model.predictOne(row(0))]).toEqual([0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    model.learnOne(row(0), undefined);
    model.learnOne(row(0), undefined); // the same again begins no cluster
    expect(model.predictOne(row(1))[1]).toBe(0);
    for (let i = 1; i < 300; i++) model.learnOne(row(i), undefined);
    for (let i = 300; i < 330; i++) {
      const distances = model.predictOne(row(i));
      expect(nearest(distances)).toBe(i % 3);
      expect(distances[i % 3]).toBeLessThan(1);
    }
  });

  it('has the mean of all rows without a half-life, and follows those of late with one', () => {
    const [all, late] = [{}, { halfLife: 5 }].map((more) => openLearner(kMeans({ clusters: 1, ...more }), plane));
    for (const x of [0, 10])
      for (let i = 0; i < 50; i++) for (const model of [all, late]) model?.learnOne(vector([x, 0]), undefined);
    expect(all?.predictOne(vector([5, 0]))[0]).toBeCloseTo(0, 12);
    // 50 rows are ten half-lives, and what was learnt before has as much weight as there is.
    expect(late?.predictOne(vector([10, 0]))[0]).toBeCloseTo((10 * 2 ** -10 * (1 - 2 ** -10)) / (1 - 2 ** -20), 12);
  });

  it.each([
    {},
    { halfLife: 3 },
    {
      halfLife: 3,
      initial: [
        [0, 0],
        [1, 1],
        [2, 0],
      ],
      initialWeight: 4,
    },
  ])('keeps the promises of a learner: %j', (more) => {
    const number = fc.float({ min: -2, max: 2, noNaN: true });
    const row = fc.tuple(number, number).map((dense) => ({ features: vector(dense), label: undefined }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 12 }), (rows) =>
        checkLearner(kMeans({ clusters: 3, ...more }), rows, plane, { weightIsCount: true }),
      ),
      { numRuns: 20 },
    );
  });

  it('says what it cannot be', () => {
    expect(() => kMeans({ clusters: 1.5 })).toThrow('kMeans: clusters is 1.5, and initial has no centres');
    expect(() => kMeans({ clusters: 2, initial: [[1]] })).toThrow('kMeans: clusters is 2, and initial has 1 centres');
    expect(() => kMeans({ clusters: 1, initial: [[Number.NaN]] })).toThrow('clusters is 1, and initial has 1 centres');
    expect(() => kMeans({ clusters: 2, halfLife: 0 })).toThrow('kMeans: halfLife is 0');
    expect(() => kMeans({ clusters: 1, initial: [[1]] }).cells(plane)).toThrow(
      'a centre of `initial` does not have 2 numbers',
    );
    expect(() => kMeans({ clusters: 2 }).cells({ denseSize: 2, hashedSize: 4 })).toThrow(
      'the view has hashed features',
    );
  });
});
