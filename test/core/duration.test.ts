import { expect, it } from 'vitest';
import { days, hours, minutes, seconds } from '../../src/core/duration.js';

it('durations that are whole milliseconds but for rounding are whole', () => {
  expect(hours(1.1)).toBe(3_960_000);
  expect([seconds(1.001), minutes(0.7), days(1.1)]).toEqual([1_001, 42_000, 95_040_000]);
  expect(hours(-1.1)).toBe(-3_960_000);
});

it('other durations stay what they are', () => {
  expect(seconds(0.0005)).toBe(0.5);
  expect(seconds(0.000_01)).toBe(0.01);
  expect(hours(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  expect(hours(Number.NaN)).toBeNaN();
});
