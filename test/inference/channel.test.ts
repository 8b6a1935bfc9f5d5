import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inTurns, openChannel, TURN_MAX_MS } from '../../src/inference/workers/channel.js';

test('answers that come for too long wait for the next turn of the event loop, and keep their order', async () => {
  const taken: number[] = [];
  const take = inTurns(({ id }) => void taken.push(id));
  const answer = (id: number) => take({ id, answer: id });
  for (let round = 0; round < 2; round++) {
    taken.length = 0;
    answer(1);
    for (const sinceMs = performance.now(); performance.now() - sinceMs < TURN_MAX_MS; );
    answer(2);
    answer(3);
    expect(taken).toEqual([1]);
    await nextTurn();
    expect(taken).toEqual([1, 2, 3]);
  }
});

test('workers of all kinds share one listener for the exit of the process', async () => {
  const before = process.listenerCount('exit');
  const events = { onReply() {}, onDeath() {} };
  const channels = (['process', 'thread', 'process'] as const).map((isolation) => openChannel(isolation, events));
  expect(process.listenerCount('exit')).toBe(before + 1);
  for (const channel of channels) channel.giveUp(false);
  await Promise.all(channels.map(({ gone }) => gone));
  expect(process.listenerCount('exit')).toBe(before);
});
