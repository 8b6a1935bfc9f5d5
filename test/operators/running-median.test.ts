import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RunningMedian } from '../../src/operators/running-median.js';
import { ringCell } from '../../src/state/index.js';

/** The same by definition: sort the window each time. */
function medianOf(values: readonly number[]): number | undefined {
  const sorted = values.map((v) => v + 0).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const low = sorted[(sorted.length - 1) >> 1] as number;
  const high = sorted[sorted.length >> 1] as number;
  return low === high ? low : low / 2 + high / 2;
}

const number = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constant(-0),
);

it('is the median of the last n values, bit for bit, at every step', () => {
  fc.assert(
    fc.property(fc.array(number, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (values, length) => {
      const running = new RunningMedian(ringCell<number>({ length }).open(), length);
      expect(running.median()).toBe(undefined);
      values.forEach((value, i) => {
        running.add(value);
        expect(Object.is(running.median(), medianOf(values.slice(0, i + 1).slice(-length)))).toBe(true);
      });
    }),
  );
});

it('is the same however often it is asked for', () => {
  /** How many values come before each question: many now and then, so that both ways are taken, and one after the other. */
  const gaps = fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 30, max: 70 })), { maxLength: 12 });
  fc.assert(
    fc.property(
      gaps,
      fc.array(number, { minLength: 50, maxLength: 50 }),
      fc.integer({ min: 1, max: 40 }),
      (...drawn) => {
        const [asked, values, length] = drawn;
        const running = new RunningMedian(ringCell<number>({ length }).open(), length);
        const seen: number[] = [];
        for (const gap of asked) {
          for (let i = 0; i < gap; i++) {
            seen.push(values[seen.length % 50] as number);
            running.add(seen.at(-1) as number);
          }
          expect(Object.is(running.median(), medianOf(seen.slice(-length)))).toBe(true);
        }
      },
    ),
  );
});
