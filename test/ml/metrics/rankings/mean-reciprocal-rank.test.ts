import { describe, expect, it } from 'vitest';
import { meanReciprocalRank } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, over } from '../support.js';

describe('meanReciprocalRank', () => {
  it('equals a loop over the definition', () => {
    holdsTo('ranking', 'mrr', ({ k = 0 }) => meanReciprocalRank({ k }));
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(meanReciprocalRank({ k: 3 }), 'ranking');
  });

  it('is what its example says, and 0 without a relevant item', () => {
    expect(over(meanReciprocalRank(), [{ prediction: ['a', 'b', 'c'], label: ['b', 'c'] }])).toBe(0.5);
    expect(over(meanReciprocalRank({ k: 1 }), [{ prediction: ['a', 'b'], label: ['b'] }])).toBe(0);
    expect(over(meanReciprocalRank(), [{ prediction: [], label: ['b'] }])).toBe(0);
  });

  it('names a k that is none', () => {
    expect(meanReciprocalRank({ k: 0 }).problems[0]?.message).toBe('k is 0');
  });
});
