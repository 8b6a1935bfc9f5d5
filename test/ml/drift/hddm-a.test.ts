import { describe, expect, it } from 'vitest';
import { hddmA } from '../../../src/ml/drift/index.js';
import { falseAlarms, holdsToRiver, keepsAllInItsState, places, stream } from './support.js';

describe('HDDM_A', () => {
  it('finds drifts and warns where River does', () => {
    holdsToRiver('hddmA');
    const { found, warned } = places(hddmA(), stream('errors')); // as documented
    expect([warned[0], found[0]]).toEqual([451, 1206]);
  });

  it('keeps all that it knows in its state', () => {
    keepsAllInItsState(hddmA({ direction: 'both' }), stream('rates').slice(0, 2_500));
  });

  it('finds a drift where there is none below its bound', () => {
    const rate = falseAlarms(hddmA());
    expect(rate).toBe(0.000015);
    expect(rate).toBeLessThan(0.001);
    expect(falseAlarms(hddmA({ driftAt: 0.02, warningAt: 0.05, direction: 'both' }))).toBeLessThan(0.02);
  });

  it('shows the means before and after the cut, of a fall too', () => {
    const { evidence } = places(hddmA({ direction: 'both' }), [...Array(300).fill(1), ...Array(300).fill(0)]);
    expect(evidence[0]).toMatchObject({ level: 'drift', before: 1 });
    expect(evidence[0]?.after).toBeCloseTo(0, 12);
    expect(evidence[0]?.statistic).toBeGreaterThanOrEqual(evidence[0]?.threshold ?? 1);
    expect(hddmA({ driftAt: 0 }).problems.map(({ message }) => message)).toEqual(['driftAt is 0']);
  });
});
