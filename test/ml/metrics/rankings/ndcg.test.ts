import { describe, expect, it } from 'vitest';
import { ndcg } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, over } from '../support.js';

describe('ndcg', () => {
  it('equals that of scikit-learn', () => {
    holdsTo('ranking', 'ndcg', ({ k = 0 }) => ndcg({ k }));
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(ndcg({ k: 3 }), 'ranking');
  });

  it('is 1 for the best order, and what its example says', () => {
    const label = { b: 3, c: 1 };
    expect(over(ndcg(), [{ prediction: ['b', 'c', 'a'], label }])).toBe(1);
    const best = 3 + 1 / Math.log2(3);
    const shown = over(ndcg(), [{ prediction: ['a', 'b', 'c'], label }]);
    expect(shown).toBeCloseTo((3 / Math.log2(3) + 1 / 2) / best, 12);
    expect(shown).toBeCloseTo(0.659, 4);
  });

  it('counts an item once, and ignores a row where nothing was relevant', () => {
    expect(over(ndcg(), [{ prediction: ['b', 'b', 'b'], label: ['b'] }])).toBe(1);
    expect(over(ndcg(), [{ prediction: ['b'], label: [] }])).toBeNull();
  });

  it('names a k that is none', () => {
    expect(ndcg({ k: 0 }).problems[0]?.message).toBe('k is 0');
  });
});
