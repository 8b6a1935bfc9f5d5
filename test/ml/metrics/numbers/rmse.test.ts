import { describe, expect, it } from 'vitest';
import { rmse } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, over } from '../support.js';

describe('rmse', () => {
  it('equals that of scikit-learn', () => {
    holdsTo('number', 'rmse', () => rmse());
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(rmse(), 'number');
  });

  it('counts large errors more, and stays finite', () => {
    const rows = [0, 0, 0, 8].map((prediction) => ({ prediction, label: 0 }));
    expect(over(rmse(), rows)).toBe(4);
    expect(over(rmse(), [{ prediction: 1e90, label: -1e90, weight: 1e90 }])).toBeCloseTo(2e90, -78);
  });
});
