import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RunningQuantiles } from '../../../../src/operators/quality/running/running-quantiles.js';
import { ringCell } from '../../../../src/state/index.js';

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
      const running = new RunningQuantiles(ringCell<number>({ length }).open(), length);
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
        const running = new RunningQuantiles(ringCell<number>({ length }).open(), length);
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

it('quantiles lie between two values by their distance, at every step', () => {
  const shares = fc.oneof(fc.constantFrom(0, 0.25, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -20, max: 20 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      shares,
      (values, length, q) => {
        const running = new RunningQuantiles(ringCell<number>({ length }).open(), length);
        expect(running.quantile(q)).toBe(undefined);
        values.forEach((value, i) => {
          running.add(value);
          const sorted = values
            .slice(0, i + 1)
            .slice(-length)
            .sort((a, b) => a - b);
          const at = q * (sorted.length - 1);
          const [low, high] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
          expect(running.quantile(q)).toBeCloseTo(low + (high - low) * (at % 1), 9);
        });
      },
    ),
  );
});

it('quantiles and medians are those of published examples', () => {
  const of = (...values: number[]) => {
    const running = new RunningQuantiles(ringCell<number>({ length: 20 }).open(), 20);
    for (const value of values) running.add(value);
    return running;
  };
  // R, ?quantile, type 7, of Wikipedia's data for quartiles.
  const quartiles = of(6, 7, 15, 36, 39, 40, 41, 42, 43, 47, 49);
  expect([0.25, 0.5, 0.75].map((q) => quartiles.quantile(q))).toEqual([25.5, 40, 42.5]);
  // numpy.percentile([[10, 7, 4], [3, 2, 1]], 50)
  expect(of(10, 7, 4, 3, 2, 1).quantile(0.5)).toBe(3.5);
  // Wikipedia, "Median absolute deviation".
  const spread = of(1, 1, 2, 2, 4, 6, 9);
  expect([spread.median(), spread.medianDistance(2)]).toEqual([2, 1]);
});

it('the median distance is that of the sorted distances, at every step', () => {
  fc.assert(
    fc.property(fc.array(number, { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), (values, length) => {
      const running = new RunningQuantiles(ringCell<number>({ length }).open(), length);
      values.forEach((value, i) => {
        running.add(value);
        const center = running.median() as number;
        const kept = values.slice(0, i + 1).slice(-length);
        expect(running.medianDistance(center)).toBe(medianOf(kept.map((v) => Math.abs(v - center))));
      });
    }),
  );
});
