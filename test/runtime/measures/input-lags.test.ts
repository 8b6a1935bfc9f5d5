import { describe, expect, it } from 'vitest';
import { BEFORE_ALL_MS } from '../../../src/core/index.js';
import { lagsOf } from '../../../src/runtime/measures/input-lags.js';
import { eventTimeOf, mergeRound } from '../../../src/runtime/merge.js';
import { inputOf } from '../inputs.js';

/** An input over ten records, one a second, whose log knows its end; so many are merged. */
async function readUpTo(records: number, polled: number) {
  const times = Array.from({ length: 10 }, (_, i) => 1_000 * i);
  const input = inputOf('orders', times, [polled]);
  Object.assign(input.reader, { logEnd: times.length });
  await input.fill(polled);
  if (records > 0) mergeRound([input], records, eventTimeOf([input]));
  return input;
}

describe('the lag of an input', () => {
  it('is that of the next record, in records and by its event time', async () => {
    expect(lagsOf([await readUpTo(3, 5)], undefined)).toEqual({ lag: { orders: 7 }, unreadMs: { orders: 3_000 } });
  });

  it('is that of the last record while the next one has not been polled', async () => {
    expect(lagsOf([await readUpTo(5, 5)], undefined)).toEqual({ lag: { orders: 5 }, unreadMs: { orders: 4_000 } });
  });

  it('is none at the end of the log', async () => {
    expect(lagsOf([await readUpTo(10, 10)], undefined)).toEqual({ lag: { orders: 0 }, unreadMs: {} });
  });

  it('of a task that has failed counts from what is committed', async () => {
    const input = await readUpTo(5, 10);
    const committed = { orders: { offset: 2, mergeTimeMs: 1_000 } };
    expect(lagsOf([input], committed)).toEqual({ lag: { orders: 8 }, unreadMs: { orders: 1_000 } });
    const nothing = { orders: { offset: 0, mergeTimeMs: BEFORE_ALL_MS } };
    expect(lagsOf([input], nothing)).toEqual({ lag: { orders: 10 }, unreadMs: {} });
  });

  it('is unknown where the log does not tell its end', async () => {
    const input = inputOf('orders', [5_000], [1]);
    expect(lagsOf([input], undefined)).toEqual({ lag: {}, unreadMs: {} });
    await input.fill(1);
    expect(lagsOf([input], undefined)).toEqual({ lag: {}, unreadMs: { orders: 5_000 } });
  });
});
