import { describe, expect, it } from 'vitest';
import { hddmW } from '../../../src/ml/drift/index.js';
import { falseAlarms, holdsToRiver, keepsAllInItsState, places, stream } from './support.js';

describe('HDDM_W', () => {
  it('finds drifts and warns where River does', () => {
    holdsToRiver('hddmW');
    const { found, warned } = places(hddmW(), stream('errors')); // as documented
    expect([warned[0], found[0]]).toEqual([451, 1077]);
  });

  it('keeps all that it knows in its state', () => {
    keepsAllInItsState(hddmW({ direction: 'both' }), stream('rates').slice(0, 2_500));
  });

  it('finds a drift where there is none below its bound', () => {
    const rate = falseAlarms(hddmW());
    expect(rate).toBe(0.00003);
    expect(rate).toBeLessThan(0.001);
    expect(falseAlarms(hddmW({ driftAt: 0.01, warningAt: 0.05 }))).toBeLessThan(0.01);
  });

  it('shows the means before and after the cut, of a fall too', () => {
    const { evidence } = places(hddmW({ direction: 'both' }), [...Array(300).fill(1), ...Array(300).fill(0)]);
    expect(evidence[0]?.before).toBeCloseTo(1, 12);
    expect(evidence[0]?.after).toBe(0);
    expect(hddmW({ rate: 1 }).problems.map(({ message }) => message)).toEqual(['rate is 1']);
  });
});
