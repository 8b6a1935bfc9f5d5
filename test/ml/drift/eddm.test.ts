import { describe, expect, it } from 'vitest';
import { eddm } from '../../../src/ml/drift/index.js';
import { falseAlarms, holdsToRiver, keepsAllInItsState, places, stream } from './support.js';

describe('EDDM', () => {
  it('finds drifts and warns where River does', () => {
    holdsToRiver('eddm');
    const { found, warned } = places(eddm({ warningAt: 0.8, driftAt: 0.75 }), stream('errors')); // as documented
    expect([warned, found]).toEqual([[1059], [1278]]);
  });

  it('keeps all that it knows in its state', () => {
    keepsAllInItsState(eddm(), stream('rates').slice(0, 2_500));
  });

  it('finds a drift where there is none at less than 4 in 1,000 numbers', () => {
    expect(falseAlarms(eddm())).toBe(0.0037875);
  });

  it('shows what it saw, and warns until the next error', () => {
    const { evidence } = places(eddm(), stream('rates'));
    expect(evidence[0]).toMatchObject({ level: 'drift', threshold: 0.9, before: null });
    expect(evidence[0]?.statistic).toBeLessThan(0.9);
    const messages = eddm({ warningAt: 0.5, driftAt: 0.9 }).problems.map(({ message }) => message);
    expect(messages).toEqual(['driftAt is 0.9, above warningAt']);
  });
});
