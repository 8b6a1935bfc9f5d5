import { describe, expect, it } from 'vitest';
import { regret } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, over } from '../support.js';

describe('regret', () => {
  it('equals an exact sum', () => {
    holdsTo('number', 'regret', () => regret());
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(regret(), 'number');
  });

  it('is what the best choices would have given more', () => {
    const rows = [
      { prediction: 1, label: 5 },
      { prediction: 2, label: 2 },
      { prediction: 0, label: 1, weight: 3 },
    ];
    expect(over(regret(), rows)).toBe(7);
    expect(over(regret(), [])).toBeNull();
  });
});
