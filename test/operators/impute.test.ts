import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { impute } from '../../src/operators/impute.js';
import { checkOperator, type Driven, driveOperator } from '../../src/testing/operator-contract.js';

interface Trip {
  readonly distance?: number | null;
  readonly from: string | null;
}
const trips = (...distances: (number | null | undefined)[]) =>
  distances.map((distance) => ({ value: { distance, from: 'ATL' } }));
const filled = (operator: Driven, ...distances: (number | null | undefined)[]) =>
  driveOperator(operator, trips(...distances)).emitted.map(({ value }) => (value as Trip).distance);

const rules = {
  mean: impute<Trip, { distance: 'mean' }>({ distance: 'mean' }),
  median: impute<Trip, { distance: 'median' }>({ distance: 'median' }),
  window: impute<Trip, { distance: { use: 'median'; window: 3 } }>({ distance: { use: 'median', window: 3 } }),
  last: impute<Trip, { distance: 'last'; from: 'last' }>({ distance: 'last', from: 'last' }),
  constant: impute<Trip, { distance: { constant: 7 }; from: { constant: '?' } }>({
    distance: { constant: 7 },
    from: { constant: '?' },
  }),
  fallback: impute<Trip, { distance: { use: 'mean'; fallback: 5 } }>({ distance: { use: 'mean', fallback: 5 } }),
};

describe('impute', () => {
  it.each(Object.entries(rules))('keeps the operator contract: %s', (_, operator) => {
    checkOperator(
      operator,
      trips(null, 3, 1, null, Number.NaN, 1e300, -1, undefined, 2, Number.POSITIVE_INFINITY, null),
      { stateBytesMax: 10_000 },
    );
  });

  it('keeps the contract over a full window', () => {
    const distance = fc.option(fc.double(), { freq: 3 });
    fc.assert(
      fc.property(fc.array(distance, { maxLength: 25 }), (distances) =>
        checkOperator(rules.window, trips(...distances)),
      ),
      { numRuns: 50 },
    );
  });

  it('fills in the mean of what was seen', () =>
    expect(filled(rules.mean, 1, 2, null, 6, null)).toEqual([1, 2, 1.5, 6, 3]));

  it('the mean is that of a plain sum, and extremes do not break it', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }), (values) => {
        const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
        expect(filled(rules.mean, ...values, null).at(-1)).toBeCloseTo(mean, 4);
      }),
    );
    expect(filled(rules.mean, 1.7e308, -1.7e308, 1.7e308, null).at(-1)).toBeLessThan(1e308);
  });

  it('fills in the median of the last values', () => {
    expect(filled(rules.median, 9, 1, null, 5, null)).toEqual([9, 1, 5, 5, 5]);
    expect(filled(rules.window, 100, 1, 2, 3, null)).toEqual([100, 1, 2, 3, 2]);
    const many = Array.from({ length: 1_002 }, (_, i) => i);
    expect(filled(rules.median, ...many, null).at(-1)).toBe(501); // of 1 to 1001
  });

  it('fills in the last value, of any kind', () => {
    const { emitted } = driveOperator(rules.last, [
      { value: { distance: 1, from: 'ATL' } },
      { value: { distance: null, from: null } },
    ]);
    expect(emitted[1]?.value).toEqual({ distance: 1, from: 'ATL' });
  });

  it('fills in a constant, and a fallback only while nothing was seen', () => {
    expect(filled(rules.constant, null, 1, null)).toEqual([7, 1, 7]);
    expect(filled(rules.fallback, null, 1, null)).toEqual([5, 1, 1]);
  });

  it('takes NaN for missing, and learns neither from infinities nor from what it filled in', () => {
    expect(filled(rules.mean, 4, Number.NaN, Number.POSITIVE_INFINITY, null)).toEqual([
      4,
      4,
      Number.POSITIVE_INFINITY,
      4,
    ]);
    expect(filled(rules.window, 1, null, null, null, 3, 3, null)).toEqual([1, 1, 1, 1, 3, 3, 3]);
  });

  it('sends what it cannot fill to the dead letters', () => {
    const { emitted, deadLetters, counters } = driveOperator(rules.median, trips(null, 5, null));
    expect(deadLetters.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([
      'nothing-to-impute: distance is null, and no earlier record had it',
    ]);
    expect([emitted.length, counters]).toEqual([2, { imputed: 1 }]);
  });

  it('passes a whole record on as it is, and copies one that it fills', () => {
    const whole = { value: { distance: 1, from: 'ATL' } };
    const holed = { value: { distance: null, from: null } };
    const { emitted, counters } = driveOperator(rules.last, [whole, holed]);
    expect(emitted[0]?.value).toBe(whole.value);
    expect(holed.value).toEqual({ distance: null, from: null });
    expect(counters).toEqual({ imputed: 2 });
  });

  it('is described by its rules, and says what is wrong with them', () => {
    expect(rules.median.settings).toEqual({ distance: 'median of the last 1001' });
    expect(rules.fallback.settings).toEqual({ distance: 'mean, else 5' });
    expect(rules.constant.settings).toEqual({ distance: 'constant 7', from: 'constant ?' });
    expect(rules.median.problems).toEqual([]);
    expect(
      impute<Trip, { distance: { use: 'median'; window: number } }>({ distance: { use: 'median', window: 0 } })
        .problems,
    ).toHaveLength(1);
  });
});
