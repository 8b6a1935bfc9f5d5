import { describe, expect, it } from 'vitest';
import { normalizedEntropy } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, over } from '../support.js';

describe('normalized entropy', () => {
  it('equals the log loss of scikit-learn over the entropy of the rate', () => {
    holdsTo('binary', 'normalized_entropy', () => normalizedEntropy());
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(normalizedEntropy(), 'binary');
  });

  it('is 1 for who says the rate, and has no value where there is nothing to know', () => {
    const rows = [true, false, false, false].map((label) => ({ prediction: 0.25, label }));
    expect(over(normalizedEntropy(), rows)).toBeCloseTo(1, 12);
    expect(over(normalizedEntropy(), rows.slice(1))).toBeNull();
    expect(over(normalizedEntropy(), rows.slice(0, 1))).toBeNull();
  });
});
