import { describe, expect, it } from 'vitest';
import { meanAveragePrecision } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, over } from '../support.js';

describe('meanAveragePrecision', () => {
  it('equals a loop over the definition', () => {
    holdsTo('ranking', 'map', ({ k = 0 }) => meanAveragePrecision({ k }));
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(meanAveragePrecision({ k: 3 }), 'ranking');
  });

  it('is what its example says', () => {
    expect(over(meanAveragePrecision(), [{ prediction: ['a', 'b', 'c'], label: ['b', 'c'] }])).toBeCloseTo(7 / 12, 12);
    expect(over(meanAveragePrecision({ k: 1 }), [{ prediction: ['b', 'c'], label: ['b', 'c'] }])).toBe(1);
  });

  it('names a k that is none', () => {
    expect(meanAveragePrecision({ k: 0 }).problems[0]?.message).toBe('k is 0');
  });
});
