import { describe, expect, it } from 'vitest';
import { fBeta } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, names, over } from '../support.js';

describe('F-beta', () => {
  it('equals that of scikit-learn', () => {
    holdsTo('binary', 'f1', () => fBeta());
    holdsTo('binary', 'f2', () => fBeta({ beta: 2 }));
    holdsTo('binary', 'f2_at_0.1', () => fBeta({ beta: 2, threshold: 0.1 }));
    for (const average of ['macro', 'micro', 'weighted'] as const)
      holdsTo('class', `f1_${average}`, ({ classes = [] }) => fBeta({ classes, average }));
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(fBeta({ beta: 0.5 }), 'binary', { exact: true });
    keepsPromises(fBeta({ classes: names, average: 'weighted' }), 'class', { exact: true });
  });

  it('has no value where nothing is or is said to be true, and refuses a beta of 0', () => {
    expect(over(fBeta(), [{ prediction: 0.1, label: false }])).toBeNull();
    expect(fBeta({ beta: 0 }).problems[0]?.message).toBe('beta is 0');
  });
});
