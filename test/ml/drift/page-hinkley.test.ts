import { describe, expect, it } from 'vitest';
import { pageHinkley } from '../../../src/ml/drift/index.js';
import { falseAlarms, holdsToRiver, keepsAllInItsState, places, stream } from './support.js';

describe('Page-Hinkley', () => {
  it('finds drifts where River finds them', () => {
    holdsToRiver('pageHinkley');
    expect(places(pageHinkley(), stream('jump')).found).toEqual([1006]); // as documented
  });

  it('keeps all that it knows in its state', () => {
    keepsAllInItsState(pageHinkley({ threshold: 10 }), stream('levels').slice(0, 1_200));
  });

  it('finds a drift where there is none the more often, the lower the threshold is', () => {
    expect(falseAlarms(pageHinkley())).toBe(0);
    expect(falseAlarms(pageHinkley({ threshold: 10 }))).toBe(0.002135);
  });

  it('shows what it saw, and one direction only if asked', () => {
    const [seen] = places(pageHinkley(), stream('jump')).evidence;
    expect(seen).toMatchObject({ level: 'drift', threshold: 50, after: null });
    expect(seen?.statistic).toBeGreaterThan(50);
    expect(seen?.before).toBeCloseTo(0.53, 1);
    expect(places(pageHinkley({ direction: 'down' }), stream('jump')).found).toEqual([]);
    expect(pageHinkley({ threshold: 0, fading: 1 }).problems.map(({ message }) => message)).toEqual(['threshold is 0']);
  });
});

it('says which option is no number', () => {
  const { problems } = pageHinkley({ delta: Number.NaN, warmUp: Number.NaN });
  expect(problems.map(({ message }) => message)).toEqual(['delta is NaN', 'warmUp is NaN']);
});
