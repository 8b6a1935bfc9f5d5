import { describe, expect, it } from 'vitest';
import { BEFORE_ALL_MS } from '../../src/core/index.js';
import { advance, JUMP_MAX_MS, type MergeClock } from '../../src/runtime/merge-time.js';

const mergeTimes = (events: readonly number[]): number[] => {
  const clock: MergeClock = { timeMs: BEFORE_ALL_MS, suspectMs: null };
  return events.map((eventTimeMs) => advance(clock, eventTimeMs));
};
const day = JUMP_MAX_MS;

describe('merge time', () => {
  it('is the highest event time so far', () => {
    expect(mergeTimes([10, 20, 15, 30])).toEqual([10, 20, 20, 30]);
  });

  it('does not follow a single absurd time', () => {
    expect(mergeTimes([10, 4_102_444_800_000, 20, 30])).toEqual([10, 10, 20, 30]);
  });

  it('follows a jump once a second record agrees', () => {
    expect(mergeTimes([10, 10 * day, 10 * day + 5])).toEqual([10, 10, 10 * day]);
  });

  it('follows a sparse input one record behind', () => {
    expect(mergeTimes([0, 7 * day, 14 * day, 21 * day])).toEqual([0, 0, 7 * day, 14 * day]);
  });

  it('survives a checkpoint between a jump and its confirmation', () => {
    const events = [10, 10 * day, 10 * day + 5, 11 * day];
    const clock: MergeClock = { timeMs: BEFORE_ALL_MS, suspectMs: null };
    const restored = events.map((eventTimeMs) =>
      advance(Object.assign(clock, JSON.parse(JSON.stringify(clock))), eventTimeMs),
    );
    expect(restored).toEqual(mergeTimes(events));
  });
});
