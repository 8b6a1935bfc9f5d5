import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inTurns, TURN_MAX_MS } from '../../src/inference/workers/channel.js';

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
