import { describe, expect, it } from 'vitest';
import { quantileLoss } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, over } from '../support.js';

describe('quantile loss', () => {
  it('equals the pinball loss of scikit-learn', () => {
    holdsTo('number', 'quantile_0.9', () => quantileLoss({ at: 0.9 }));
    holdsTo('number', 'quantile_0.2', () => quantileLoss({ at: 0.2 }));
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(quantileLoss({ at: 0.75 }), 'number');
  });

  it('costs more to be too low the higher the quantile is', () => {
    expect(over(quantileLoss({ at: 0.9 }), [{ prediction: 1, label: 3 }])).toBeCloseTo(1.8, 12);
    expect(over(quantileLoss({ at: 0.9 }), [{ prediction: 3, label: 1 }])).toBeCloseTo(0.2, 12);
    expect(quantileLoss({ at: 90 }).problems[0]?.message).toBe('a quantile at 90');
  });
});
