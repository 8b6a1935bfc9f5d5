import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type History, keepHistory, mergedHistory, type SeenHistory } from '../../src/server/history.js';
import { type Picture, pictures } from '../../src/server/live.js';
import { someSnapshot } from '../cli/snapshot.js';
import { orders } from './orders.js';

const START_MS = 1_700_000_000_000;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'], now: START_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A run that reads a record more each second, and counts how often somebody takes a picture of it. */
function run() {
  const usual = pictures(orders, someSnapshot, () => true)();
  let taken = 0;
  const second = () => Math.round((Date.now() - START_MS) / 1_000);
  const next = (): Picture => {
    taken += 1;
    return { ...usual, readRate: second(), lag: second(), latency: second() % 20 === 0 ? { p50: 1, p99: 900 } : null };
  };
  const history = (): History => {
    const kept = keepHistory(() => kept.add(next()));
    return kept;
  };
  return { next, history, taken: () => taken };
}
const known = (values: readonly (number | null)[]) => values.filter((value) => value !== null);

describe('the history of a run', () => {
  it('has the newest ten minutes by second and two hours by ten seconds, for who comes late', () => {
    const history = run().history();
    history.look();
    for (let minute = 0; minute < 150; minute++) {
      vi.advanceTimersByTime(60_000);
      history.look();
    }
    const [minutes, hours] = [history.read('10m'), history.read('2h')];
    expect([minutes.everyMs, minutes.untilMs, hours.untilMs]).toEqual([
      1_000,
      START_MS + 9_000_000,
      START_MS + 9_000_000,
    ]);
    expect(minutes.values.read).toEqual(Array.from({ length: 600 }, (_, i) => 8_401 + i));
    expect(hours.values.read).toHaveLength(720);
    // Of a slot the mean of a rate, and the largest lag and latency.
    expect(hours.values.read.at(-2)).toBeCloseTo(8_994.5, 1);
    expect(hours.values.lag.at(-2)).toBe(8_999);
    expect(hours.values.latency.slice(-5, -1)).toEqual([900, null, 900, null]);
    history.close();
  });

  it('costs nothing until somebody looks, and goes on for ten minutes after nobody does', () => {
    const { next, history: begin, taken } = run();
    const history = begin();
    vi.advanceTimersByTime(3_600_000);
    expect(taken()).toBe(0);
    expect(known(history.read('2h').values.read)).toEqual([]);
    history.look();
    vi.advanceTimersByTime(3_600_000);
    expect(taken()).toBe(600);
    // Then there is a gap.
    history.look();
    vi.advanceTimersByTime(5_000);
    expect(known(history.read('10m').values.read)).toHaveLength(5);
    const { read } = history.read('2h').values;
    expect(known(read).length).toBe(61 + 1);
    expect(read.slice(-10, -1)).toEqual(Array(9).fill(null));
    // While somebody looks, the pictures that are made for him are enough.
    for (let second = 0; second < 5; second++) {
      vi.advanceTimersByTime(600);
      history.add(next());
      vi.advanceTimersByTime(400);
    }
    expect(taken()).toBe(605 + 5);
    history.close();
    vi.advanceTimersByTime(60_000);
    expect(taken()).toBe(605 + 5);
  });

  it('of several processes adds what can be added, at the same times', () => {
    const { history } = run();
    const [here, there] = [history(), history()];
    here.look();
    vi.advanceTimersByTime(10_000);
    there.look();
    vi.advanceTimersByTime(10_000);
    const other = there.read('10m');
    vi.advanceTimersByTime(2_000);
    const merged: SeenHistory = mergedHistory(here.read('10m'), [other]);
    // One process alone, then two, and what the other has not told yet.
    expect(merged.values.lag.slice(-22)).toEqual([
      ...Array.from({ length: 10 }, (_, i) => 1 + i),
      ...Array.from({ length: 10 }, (_, i) => 2 * (11 + i)),
      ...[21, 22],
    ]);
    expect(merged.values.latency.at(-3)).toBe(900); // no sum of percentiles
    expect(merged.values.loop.at(-3)).toBe(here.read('10m').values.loop.at(-3));
    for (const one of [here, there]) one.close();
  });
});
