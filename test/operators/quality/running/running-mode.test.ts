import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RunningMode } from '../../../../src/operators/quality/running/running-mode.js';
import { ringCell } from '../../../../src/state/index.js';

/** The most frequent of the last values; of equally frequent ones the one that came last. */
function modeOf(values: readonly string[]): string | undefined {
  const countOf = (value: string) => values.filter((each) => each === value).length;
  const most = Math.max(...values.map(countOf));
  return values.findLast((value) => countOf(value) === most);
}

it('is the most frequent of the last values, for rings of any size, also from the middle on', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.constantFrom('a', 'b', 'c')), (size, values) => {
      const ring = ringCell<string>({ length: size }).open();
      const running = new RunningMode(ring);
      for (const [i, value] of values.entries()) {
        running.add(value);
        const expected = modeOf(values.slice(Math.max(0, i + 1 - size), i + 1));
        expect(running.mode()).toBe(expected);
        // As after a restore: only the ring is kept.
        expect(new RunningMode(ring).mode()).toBe(expected);
      }
    }),
  );
});
