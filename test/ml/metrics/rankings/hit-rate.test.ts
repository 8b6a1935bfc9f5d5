import { describe, expect, it } from 'vitest';
import { hitRate } from '../../../../src/ml/metrics/index.js';
import { holdsTo, keepsPromises, over } from '../support.js';

describe('hitRate', () => {
  it('equals a loop over the definition', () => {
    holdsTo('ranking', 'hit_rate', ({ k = 0 }) => hitRate({ k }));
  });

  it('keeps the promises of a metric', () => {
    keepsPromises(hitRate({ k: 3 }), 'ranking');
  });

  it('is the share of rankings with a hit', () => {
    const rows = [
      { prediction: ['a', 'b'], label: ['b'] },
      { prediction: ['a', 'b'], label: ['c'] },
      { prediction: ['a', 'b'], label: { a: 2 } },
      { prediction: ['a', 'b'], label: { a: 0 } }, // nothing relevant
    ];
    expect(over(hitRate({ k: 2 }), rows)).toBe(2 / 3);
    expect(over(hitRate({ k: 1 }), rows)).toBe(1 / 3);
  });

  it('names a k that is none', () => {
    expect(hitRate({ k: 0 }).problems[0]?.message).toBe('k is 0');
  });
});
