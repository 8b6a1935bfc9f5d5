import { expect, it } from 'vitest';
import { Throttle, throttleMsIn } from '../../../connectors/kafka/connection/throttle.js';

it('adds the waits up, and tells of the first', () => {
  let told = 0;
  const throttle = new Throttle(() => {
    told += 1;
  });
  expect([throttle.totalMs, told]).toEqual([0, 0]);
  throttle.heard(30);
  throttle.heard(12);
  expect([throttle.totalMs, told]).toEqual([42, 1]);
});

it('is found in answers that have it', () => {
  expect([undefined, null, 'text', {}, { throttleTimeMs: 'x' }].map(throttleMsIn)).toEqual([0, 0, 0, 0, 0]);
  expect(throttleMsIn({ throttleTimeMs: 7, topics: [] })).toBe(7);
});
