import { describe, expect, it } from 'vitest';
import { featureView, numeric, oneHot } from '../../../../src/ml/features/index.js';
import { gaussianBayes } from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { phishing, progressive } from '../../data.js';
import { agreesWithPeer, denseShape, onlyDense, peerClasses, peerRows } from '../../peers.js';
import { openLearner, vector } from '../../support.js';

interface Day {
  readonly sky: string;
  readonly wind: number;
}

describe('gaussianBayes', () => {
  it('gives the accuracy of River’s benchmark, whose first row is not scored', () => {
    const model = openLearner(gaussianBayes({ classes: [false, true] }), { denseSize: 9, hashedSize: 0 });
    const first = phishing[0] as (typeof phishing)[number];
    model.learnOne(first.features, first.label);
    const { accuracy } = progressive(model, phishing.slice(1));
    expect(accuracy.toFixed(6)).toBe('0.884708');
  });

  it('predicts what River predicts', () => {
    const learner = gaussianBayes({ classes: peerClasses as readonly string[] });
    agreesWithPeer('gaussian', learner, ({ class: label }) => label, onlyDense);
  });

  it('counts the values of a category', () => {
    const view = featureView({
      name: 'weather',
      version: 1,
      columns: { sky: (day: Day) => day.sky, wind: (day: Day) => day.wind },
      features: { sky: oneHot('sky', ['fair', 'rain', 'snow']), wind: numeric('wind') },
    });
    expect(view.shape.categories).toEqual([{ at: 0, size: 3 }]);
    const { vector: vectorOf } = view.open();
    const model = openLearner(gaussianBayes({ classes: ['late', 'in time'] }), view.shape);
    const days = [
      ['snow', 'late'],
      ['rain', 'late'],
      ['fair', 'in time'],
      ['rain', 'in time'],
    ] as const;
    for (const [sky, label] of days) model.learnOne(vectorOf({ sky, wind: 3 }), label);
    // (1 + 1) / (2 + 3) against (0 + 1) / (2 + 3); the wind is the same in both.
    expect(Array.from(model.predictOne(vectorOf({ sky: 'snow', wind: 3 })))).toEqual([
      expect.closeTo(2 / 3, 12),
      expect.closeTo(1 / 3, 12),
    ]);
    expect(Array.from(model.predictOne(vectorOf({ sky: 'rain', wind: 3 })))).toEqual([0.5, 0.5]);
  });

  it('keeps the promises of a learner, a weight being a count of rows', () => {
    const rows = peerRows.slice(0, 15).map((row) => ({ features: onlyDense(row), label: row.class }));
    checkLearner(gaussianBayes({ classes: peerClasses as readonly string[] }), rows, denseShape, {
      weightIsCount: true,
    });
  });

  it('refuses views with hashed features', () => {
    expect(() => gaussianBayes({ classes: ['a', 'b'] }).cells({ denseSize: 1, hashedSize: 4 })).toThrow(
      'gaussianBayes: the view has hashed features',
    );
  });

  it('refuses a weight that would end its means and variances', () => {
    const model = openLearner(gaussianBayes({ classes: ['a', 'b'] }), { denseSize: 1, hashedSize: 0 });
    const learnAll = () => {
      for (let i = 0; i < 20; i++) model.learnOne(vector([i % 2]), 'a');
      for (let i = 0; i < 20; i++) model.learnOne(vector([10 + (i % 2)]), 'b');
    };
    learnAll();
    for (const weight of [1e308, 1e308, 1e18]) expect(model.learnOne(vector([0]), 'a', weight)).toBe('unusable-weight');
    learnAll();
    expect(model.predictOne(vector([10.5]))[1]).toBeGreaterThan(0.99);
  });
});
