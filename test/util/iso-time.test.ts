import { expect, it } from 'vitest';
import { isoTime } from '../../src/util/iso-time.js';

it('shows a time that is a date as such, and any other number as it is', () => {
  expect(isoTime(1_700_000_000_000)).toBe('2023-11-14T22:13:20.000Z');
  expect([1e300, 1.7e18, Number.NaN].map(isoTime)).toEqual(['1e+300', '1700000000000000000', 'NaN']);
});
