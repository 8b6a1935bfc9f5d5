import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BEFORE_ALL_MS,
  credibleJump,
  type EventClock,
  eventClock,
  furthest,
  isSettled,
  observe,
} from '../../src/core/index.js';

const day = 86_400_000;
const far = 50_000 * day; // about the year 2106
const jump = credibleJump(0);

function clockAfter(times: readonly number[], clock = eventClock(), jumpMs = jump): EventClock {
  for (const time of times) observe(clock, time, jumpMs);
  return clock;
}
const nowAfter = (times: readonly number[], jumpMs = jump) => clockAfter(times, eventClock(), jumpMs).nowMs;
/** What each record counts with. */
const shown = (times: readonly number[]) => {
  const clock = eventClock();
  return times.map((time) => observe(clock, time, jump));
};
const repeat = (time: number, times: number) => Array.from({ length: times }, (_, i) => time + i);

describe('a settled event clock', () => {
  it('is the highest of times that are near each other', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: day }), { minLength: 1 }), (times) => {
        expect(shown(times)).toEqual(times.map((_, i) => Math.max(...times.slice(0, i + 1))));
      }),
    );
  });

  it('is not moved by nine wrong times in a row, wherever they stand', () => {
    const sane = fc.integer({ min: 100 * day, max: 101 * day });
    const wrong = fc.constantFrom(8.64e15, 1e300, 200 * day, 200 * day + 1, Number.NaN, -1e300, 0, -8.64e15);
    const groups = fc.array(fc.record({ sane, wrong: fc.array(wrong, { maxLength: 9 }) }), { minLength: 3 });
    fc.assert(
      fc.property(groups, (all) => {
        const clock = clockAfter(all.slice(0, 3).map((group) => group.sane));
        const highest = Math.max(...all.map((group) => group.sane));
        for (const group of all) {
          for (const time of group.wrong) expect(observe(clock, time, jump)).toBeLessThanOrEqual(highest);
          observe(clock, group.sane, jump);
        }
        expect(clock.nowMs).toBe(highest);
      }),
    );
  });

  it('follows a gap in the stream after ten records beyond it, as far as they are near each other', () => {
    const before = [0, 1, 2];
    expect(nowAfter([...before, ...repeat(7 * day, 9)])).toBe(2);
    expect(nowAfter([...before, ...repeat(7 * day, 9), 7 * day - 3])).toBe(7 * day + 8);
    expect(nowAfter([...before, ...repeat(7 * day, 9), far])).toBe(7 * day + 8);
  });

  it('follows a stream with a week between its records nine records behind', () => {
    const weeks = Array.from({ length: 60 }, (_, week) => week * 7 * day);
    expect(nowAfter(weeks)).toBe((59 - 9) * 7 * day);
  });

  it('believes a jump of exactly the limit from one record, and no more', () => {
    expect(nowAfter([0, 0, 0, day])).toBe(day);
    expect(nowAfter([0, 0, 0, day + 1])).toBe(0);
    expect(nowAfter([0, 0, 0, 20 * day], credibleJump(30 * day))).toBe(20 * day);
  });

  it('counts a time exactly the limit behind as near, and one exactly the limit beyond the last that it follows', () => {
    const wrong = (at: number) => Array<number>(9).fill(at);
    const start = [day, day, day];
    expect(nowAfter([...start, ...wrong(far), 0, far])).toBe(day);
    expect(nowAfter([...start, ...wrong(far), -1, far])).toBe(far);
    expect(nowAfter([0, 0, 0, ...wrong(10 * day), 11 * day])).toBe(11 * day);
    expect(nowAfter([0, 0, 0, ...wrong(10 * day), 11 * day + 1])).toBe(10 * day);
  });

  it('is neither moved nor kept from following by times far behind', () => {
    const start = [10 * day, 10 * day, 10 * day];
    expect(nowAfter([...start, 0, 3 * day, ...repeat(0, 50)])).toBe(10 * day);
    const mixed = repeat(20 * day, 10).flatMap((time) => [time, 0]);
    expect(nowAfter([...start, ...mixed])).toBe(20 * day + 9);
  });

  it('goes on from what a checkpoint kept of it', () => {
    const times = [5, far, 6, 7, 8, ...repeat(10 * day, 12), far, 11 * day];
    const clock = times.reduce((held, time) => clockAfter([time], JSON.parse(JSON.stringify(held))), eventClock());
    expect(clock).toEqual(clockAfter(times));
  });
});

describe('a tentative event clock', () => {
  it('is settled by the third record that agrees: three in three days', () => {
    expect(isSettled(clockAfter([0, day]))).toBe(false);
    expect(clockAfter([0, day, 2 * day])).toMatchObject({ nowMs: 2 * day });
    expect(isSettled(clockAfter([0, day, 2 * day]))).toBe(true);
    expect(isSettled(eventClock(5))).toBe(true);
  });

  it('is not settled by two wrong records at the beginning, of the future or of the past', () => {
    for (const wrong of [far, 0])
      for (const begin of [[wrong], [wrong, wrong], [5_000 * day, wrong], [5_000 * day, wrong, wrong]]) {
        const clock = clockAfter(begin);
        expect(isSettled(clock)).toBe(false);
        clockAfter(repeat(5_000 * day, 4), clock);
        expect(clock).toEqual({ ...eventClock(5_000 * day + 3) });
      }
  });

  it('lets a record that disagrees count with its own time, since either may be wrong', () => {
    expect(shown([far, 5, 6, 7, far, 8])).toEqual([far, 5, 6, 7, 7, 8]);
    expect(shown([0, far, far + 1])).toEqual([0, far, far + 1]);
  });

  it('counts the record that puts a wrong beginning right with the time of the clock', () => {
    expect(shown([far, 500, 499, 600])).toEqual([far, 500, 500, 600]);
    expect(shown([far, 50 * day, 49 * day])).toEqual([far, 50 * day, 50 * day]);
    expect(shown([far, 50 * day, 49 * day - 1])).toEqual([far, 50 * day, 49 * day - 1]);
  });

  it('passes over what is no finite number', () => {
    expect(shown([Number.NaN, 3])).toEqual([BEFORE_ALL_MS, 3]);
    expect(clockAfter([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])).toEqual(eventClock());
  });
});

it('of several clocks the settled one counts, then the one furthest ahead', () => {
  expect(furthest([clockAfter([far]), eventClock(3), eventClock(7)])).toEqual(eventClock(7));
});
