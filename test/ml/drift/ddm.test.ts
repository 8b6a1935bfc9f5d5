import { describe, expect, it } from 'vitest';
import { ddm } from '../../../src/ml/drift/index.js';
import { falseAlarms, holdsToRiver, keepsAllInItsState, places, stream } from './support.js';

describe('DDM', () => {
  it('finds drifts and warns where River does', () => {
    holdsToRiver('ddm');
    const { found, warned } = places(ddm(), stream('errors')); // as documented
    expect([warned[0], found[0], warned.find((at) => at > 1_334)]).toEqual([1084, 1334, 1492]);
  });

  it('keeps all that it knows in its state', () => {
    keepsAllInItsState(ddm(), stream('rates').slice(0, 2_500));
  });

  it('finds a drift where there is none at less than 2 in 10,000 numbers', () => {
    const rate = falseAlarms(ddm());
    expect(rate).toBe(0.000175);
  });

  it('shows what it saw', () => {
    const [seen] = places(ddm(), stream('rates')).evidence;
    expect(seen?.statistic).toBeGreaterThan(seen?.threshold ?? 1);
    expect(seen?.after).toBeGreaterThan(seen?.before ?? 1);
    expect(ddm({ driftAt: -1 }).problems.map(({ message }) => message)).toEqual(['driftAt is -1']);
  });
});

it('says that a warning cannot be further away than a drift', () => {
  expect(ddm({ warningAt: 5, driftAt: 2 }).problems.map(({ message }) => message)).toEqual([
    'warningAt is 5, above driftAt',
  ]);
  expect(ddm({ warningAt: 2, driftAt: 2 }).problems).toEqual([]);
});
