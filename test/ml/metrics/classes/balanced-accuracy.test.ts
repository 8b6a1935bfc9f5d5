import { describe, expect, it } from 'vitest';
import { balancedAccuracy } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, names, over } from '../support.js';

describe('balanced accuracy', () => {
  it('equals that of scikit-learn', () => {
    holdsTo('binary', 'balanced_accuracy', () => balancedAccuracy());
    holdsTo('binary', 'balanced_accuracy_at_0.1', () => balancedAccuracy({ threshold: 0.1 }));
    holdsTo('class', 'balanced_accuracy', ({ classes = [] }) => balancedAccuracy({ classes }));
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(balancedAccuracy(), 'binary', { exact: true });
    keepsPromises(balancedAccuracy({ classes: names }), 'class', { exact: true });
  });

  it('is one half where all is decided for one of two classes', () => {
    const rows = Array.from({ length: 100 }, (_, i) => ({ prediction: 0.1, label: i === 0 }));
    expect(over(balancedAccuracy(), rows)).toBe(0.5);
  });
});
