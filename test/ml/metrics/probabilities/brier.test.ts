import { describe, expect, it } from 'vitest';
import { brier } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, names, over } from '../support.js';

describe('brier', () => {
  it('equals that of scikit-learn', () => {
    holdsTo('binary', 'brier', () => brier());
    holdsTo('class', 'brier', ({ classes = [] }) => brier({ classes }));
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(brier(), 'binary');
    keepsPromises(brier({ classes: names }), 'class');
  });

  it('gives a published figure', () => {
    const labels = [0, 0, 1, 1, 1];
    const rows = [0.25, 0.25, 0.55, 0.75, 0.75].map((prediction, i) => ({ prediction, label: labels[i] }));
    expect(over(brier(), rows)).toBeCloseTo(0.0905, 12);
  });

  it('is 2 of one class that is sure and wrong', () => {
    expect(over(brier({ classes: names }), [{ prediction: [1, 0, 0], label: 'c' }])).toBe(2);
  });
});
