import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { credibleJump, eventClock, observe } from '../../src/operators/event-clock.js';

const day = 86_400_000;
const jump = credibleJump(0);
const show = (times: readonly number[], jumpMs = jump) => {
  const clock = eventClock();
  return times.map((time) => observe(clock, time, jumpMs));
};
const repeat = (time: number, times: number) => Array.from({ length: times }, (_, i) => time + i);

describe('the time of a stream', () => {
  it('is the maximum of event times that are near each other', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: day }), { minLength: 1 }), (steps) => {
        const max = steps.map((_, i) => Math.max(...steps.slice(0, i + 1)));
        expect(show(steps)).toEqual(max);
      }),
    );
  });

  it('never follows absurd times that stand among sane ones', () => {
    const sane = fc.integer({ min: 100 * day, max: 101 * day });
    const absurd = fc.constantFrom(
      8.64e15,
      1e300,
      200 * day,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      0,
      -8.64e15,
    );
    // At most 9 absurd ones stand together.
    const groups = fc.array(fc.record({ sane, absurd: fc.array(absurd, { maxLength: 9 }) }), {
      minLength: 2,
      maxLength: 30,
    });
    fc.assert(
      fc.property(groups, (all) => {
        const times = [
          ...all.slice(0, 2).map((group) => group.sane),
          ...all.flatMap((group) => [...group.absurd, group.sane]),
        ];
        const now = show(times);
        expect(Math.max(...now)).toBe(Math.max(...all.map((group) => group.sane)));
      }),
    );
  });

  it('recovers from an absurd first record as soon as two sane ones agree', () => {
    expect(show([8.64e15, day, day + 5, day + 9])).toEqual([8.64e15, 8.64e15, day + 5, day + 9]);
    expect(show([8.64e15, 8.64e15, day])[2]).toBe(8.64e15); // two agree: believed
    expect(show([0, ...repeat(500 * day, 10)]).at(-1)).toBe(500 * day);
  });

  it('follows the stream over a pause, after ten records beyond it, to the lowest of them', () => {
    const times = [0, 1, 2, ...repeat(7 * day, 9)];
    expect(show(times).at(-1)).toBe(2);
    expect(show([...times, 7 * day - 3]).at(-1)).toBe(7 * day - 3);
    expect(show([...times, 7 * day - 3, 7 * day + 20]).at(-1)).toBe(7 * day + 20);
  });

  it('stale records neither move it nor keep it from following', () => {
    const stale = [0, 3 * day];
    expect(show([10 * day, 10 * day, ...stale, ...stale, ...repeat(0, 50)]).at(-1)).toBe(10 * day);
    const mixed = repeat(20 * day, 10).flatMap((time) => [time, 0]);
    expect(show([10 * day, 10 * day, ...mixed]).at(-1)).toBe(20 * day);
  });

  it('believes at once what a step calls young', () => {
    expect(show([0, 0, 20 * day], credibleJump(30 * day)).at(-1)).toBe(20 * day);
  });
});
