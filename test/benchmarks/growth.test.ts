import { expect, it } from 'vitest';
import { planOf } from '../../benchmarks/soak/course.js';
import { growthOf } from '../../benchmarks/soak/growth.js';

it('is the slope of the nearest line', () => {
  const line = Array.from({ length: 15 }, (_, minute) => ({ minute: minute + 6, value: 40 + 0.7 * minute }));
  expect(growthOf(line)).toBeCloseTo(0.7, 12);
  const noise = [2, -1, -1, 2, -2, 0, 1, -1];
  expect(growthOf(noise.map((value, minute) => ({ minute, value: value + 3 * minute })))).toBeCloseTo(20 / 7, 12);
  expect(growthOf([{ minute: 1, value: 9 }])).toBe(0);
});

it('has the outage in the middle of the minutes that are judged', () => {
  const { outageFrom, outageMinutes, minutes } = planOf(20);
  expect([outageMinutes, minutes - outageFrom - outageMinutes]).toEqual([2, outageFrom - (minutes - 15)]);
});
