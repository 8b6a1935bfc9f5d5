import { describe, expect, it } from 'vitest';
import { kswin } from '../../../src/ml/drift/index.js';
import { falseAlarms, keepsAllInItsState, places, stream } from './support.js';

describe('KSWIN', () => {
  it('finds the change that River documents, however it draws', () => {
    for (let seed = 0; seed < 20; seed++)
      expect(places(kswin({ driftAt: 0.0001, seed }), stream('jump')).found).toEqual([1016]);
  });

  it('has the probability of chance that scipy computes', () => {
    // ks_2samp(..., method='exact') of two samples of 30 that differ by 16 and 25 numbers, and of 10 by 5
    const pOf = (recent: number, differ: number) => {
      const older = Array.from({ length: recent }, (_, i) => i);
      const newer = older.map((x) => (x < differ ? x + 1_000 : x));
      return places(kswin({ driftAt: 0.999, window: 2 * recent, recent }), [...older, ...newer]).evidence.at(-1)
        ?.statistic;
    };
    expect(pOf(30, 16)).toBeCloseTo(0.0002933405491362055, 15);
    expect(pOf(30, 25)).toBeCloseTo(9.236090683675521e-11, 22);
    expect(pOf(10, 5)).toBeCloseTo(0.16782134274394334, 14);
  });

  it('finds a change of the spread, which the mean does not show', () => {
    const { found } = places(kswin({ window: 400, recent: 150, driftAt: 0.001 }), stream('levels').slice(800));
    expect(found.some((at) => at > 800 && at < 1_000)).toBe(true);
  });

  it('keeps all that it knows in its state', () => {
    keepsAllInItsState(kswin(), stream('levels').slice(600, 1_100));
  });

  it('finds a drift where there is none below its bound', () => {
    const rate = falseAlarms(kswin(), 'numbers');
    expect(rate).toBe(0.0014125);
    expect(rate).toBeLessThan(0.005);
  });

  it('goes on with the newest numbers', () => {
    const detector = kswin({ driftAt: 0.0001 });
    const state = new Float64Array(detector.size);
    const found = stream('jump').findIndex((x) => detector.add(state, 0, x)?.level === 'drift');
    expect(state.slice(3, 33)).toEqual(Float64Array.from(stream('jump').slice(found - 29, found + 1)));
    expect([...state.slice(0, 3)]).toEqual([found + 1, 30, 30]);
    expect(kswin({ recent: 60 }).problems.map(({ message }) => message)).toEqual(['recent is 60, and window is 100']);
  });
});
