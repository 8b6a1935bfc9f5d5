import { describe, expect, it } from 'vitest';
import { mae } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, over } from '../support.js';

describe('mae', () => {
  it('equals that of scikit-learn', () => {
    holdsTo('number', 'mae', () => mae());
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(mae(), 'number');
  });

  it('is not spoilt by a row that cannot be used', () => {
    const rows = [1, Number.NaN, Number.POSITIVE_INFINITY, 1e300, null].map((prediction) => ({ prediction, label: 3 }));
    expect(over(mae(), rows)).toBe(2);
  });
});
