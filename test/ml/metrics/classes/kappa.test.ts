import { describe, expect, it } from 'vitest';
import { kappa } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, names, over } from '../support.js';

describe('kappa', () => {
  it('equals that of scikit-learn', () => {
    holdsTo('binary', 'kappa', () => kappa());
    holdsTo('binary', 'kappa_at_0.1', () => kappa({ threshold: 0.1 }));
    holdsTo('class', 'kappa', ({ classes = [] }) => kappa({ classes }));
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(kappa(), 'binary', { exact: true });
    keepsPromises(kappa({ classes: names }), 'class', { exact: true });
  });

  it('has no value where chance explains all', () => {
    const rows = [0.1, 0.7, 0.3].map((weight) => ({ prediction: 0.9, label: true, weight }));
    expect(over(kappa(), rows)).toBeNull();
    expect(over(kappa(), [...rows, { prediction: 0.9, label: false }])).toBeCloseTo(0, 12);
  });
});
