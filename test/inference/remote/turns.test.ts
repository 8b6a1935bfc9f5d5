import { expect, test } from 'vitest';
import { turnsOf } from '../../../src/inference/remote/turns.js';

test('so many have a turn at once, and the others get theirs in order', async () => {
  const turns = turnsOf(3);
  const begun: number[] = [];
  const waiting = Array.from({ length: 6 }, async (_, i) => {
    await turns.take();
    begun.push(i);
  });
  await Promise.all(waiting.slice(0, 3));
  expect(begun).toEqual([0, 1, 2]);
  turns.give();
  await waiting[3];
  expect(begun).toEqual([0, 1, 2, 3]);
  for (let i = 0; i < 5; i++) turns.give();
  await Promise.all(waiting);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
  await turns.take();
  expect(begun).toHaveLength(6);
});
