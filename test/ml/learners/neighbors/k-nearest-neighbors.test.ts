import { describe, expect, it } from 'vitest';
import { kNearestNeighbors, kNearestNeighborsRegression, pipe, standardScaler } from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { phishing, progressive } from '../../data.js';
import { agreesWithPeer, counts, denseShape, onlyDense, type PeerRow, peerClasses, peerRows } from '../../peers.js';
import { openLearner, vector } from '../../support.js';
import { errorOf } from '../../tree-rows.js';

const classOf = ({ class: label }: PeerRow) => label;
const numberOf = ({ number }: PeerRow) => number;
const classes: readonly string[] = peerClasses;
const like = { neighbors: 4, window: 40 };

describe('kNearestNeighbors', () => {
  it('predicts what River predicts, also of rows that it has seen', () => {
    agreesWithPeer('nearest by distance', kNearestNeighbors({ classes, ...like }), classOf, onlyDense);
    const alike = kNearestNeighbors({ classes, ...like, weights: 'uniform' });
    agreesWithPeer('nearest alike', alike, classOf, onlyDense);
    agreesWithPeer('nearest counts', kNearestNeighbors({ classes, ...like }), classOf, counts);
    agreesWithPeer('nearest numbers alike', kNearestNeighborsRegression(like), numberOf, onlyDense);
    const byDistance = kNearestNeighborsRegression({ ...like, weights: 'distance' });
    agreesWithPeer('nearest numbers by distance', byDistance, numberOf, onlyDense);
    agreesWithPeer('nearest numbers of counts', kNearestNeighborsRegression(like), numberOf, counts);
  });

  it('is as accurate as River behind a scaler; its first row is not scored for classes', () => {
    const learner = pipe(standardScaler(), kNearestNeighbors({ classes: [false, true] }));
    const model = openLearner(learner, { denseSize: 9, hashedSize: 0 });
    const first = phishing[0] as (typeof phishing)[number];
    model.learnOne(first.features, first.label);
    expect((100 * progressive(model, phishing.slice(1)).accuracy).toFixed(2)).toBe('88.15');
    expect(errorOf(pipe(standardScaler(), kNearestNeighborsRegression()), 'approval')).toBeCloseTo(0.640449, 5);
  });

  it('keeps the promises of a learner while old rows give way', () => {
    const rows = peerRows
      .slice(0, 60)
      .map((row) => ({ features: onlyDense(row), label: row.class, weight: row.weight }));
    checkLearner(kNearestNeighbors({ classes, neighbors: 3, window: 50 }), rows, denseShape);
    const numbers = peerRows.slice(0, 60).map((row) => ({ features: counts(row), label: row.number }));
    checkLearner(kNearestNeighborsRegression({ neighbors: 3, window: 20 }), numbers, denseShape);
    checkLearner(kNearestNeighborsRegression({ neighbors: 9, window: 7, weights: 'distance' }), numbers, denseShape);
  });

  it('counts a vote as its weight says, and asks the oldest of rows that are as near', () => {
    const model = openLearner(kNearestNeighborsRegression({ neighbors: 2, window: 3 }), {
      denseSize: 1,
      hashedSize: 0,
    });
    expect(model.predictOne(vector([1]))).toBe(0);
    model.learnOne(vector([0]), 100);
    model.learnOne(vector([0]), 2, 3);
    model.learnOne(vector([2]), 6);
    model.learnOne(vector([2]), 8);
    expect(model.predictOne(vector([1]))).toBe(3); // the row of 100 has given way
    expect(model.predictOne(vector([2]))).toBe(6);
  });

  it('predicts of features that are no use, and says why it refuses', () => {
    const shape = { denseSize: 1, hashedSize: 0 };
    const model = openLearner(kNearestNeighbors({ classes: ['a', 'b'], neighbors: 1 }), shape);
    expect(Array.from(model.predictOne(vector([1])))).toEqual([0.5, 0.5]);
    model.learnOne(vector([-1e30]), 'a');
    model.learnOne(vector([1e30]), 'b');
    expect(Array.from(model.predictOne(vector([1e35])))).toEqual([0, 1]);
    expect(Array.from(model.predictOne(vector([-1e35])))).toEqual([1, 0]);
    for (const x of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])
      expect(Array.from(model.predictOne(vector([x]))).sort()).toEqual([0, 1]);
    expect(model.learnOne(vector([Number.NaN]), 'a')).toBe('not-finite');
    expect(model.learnOne(vector([1]), 'c' as 'a')).toBe('unknown-class');
    const numbers = openLearner(kNearestNeighborsRegression(), shape);
    expect(numbers.learnOne(vector([1]), 1e60)).toBe('unusable-label');
  });

  it('says what it cannot be', () => {
    expect(() => kNearestNeighbors({ classes, neighbors: 0 })).toThrow('neighbors and window are 0 and 1000');
    expect(() => kNearestNeighborsRegression({ window: 1.5 })).toThrow('neighbors and window are 5 and 1.5');
    expect(() => kNearestNeighbors({ classes: ['a'] })).toThrow('classes are a');
    const { cells, structure } = kNearestNeighborsRegression({ window: 7 });
    expect(structure).toEqual({ window: 7 });
    expect(() => cells({ denseSize: 1, hashedSize: 4 })).toThrow('hashed features');
  });
});
