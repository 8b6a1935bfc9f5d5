import { expect, it } from 'vitest';
import { LeaderEpochs } from '../../../connectors/kafka/leader-epochs.js';

it('knows the epoch of the last record before each offset that was read', () => {
  const epochs = new LeaderEpochs(100, 4);
  for (const [offset, epoch] of [
    [100, 4],
    [110, 4],
    [120, 6],
    [130, -1],
  ] as const)
    epochs.note(offset, epoch);
  expect([99, 100, 110, 120, 121, 500].map((offset) => epochs.before(offset))).toEqual([-1, 4, 4, 4, 6, 6]);
  expect(new LeaderEpochs(0, -1).before(1)).toBe(-1);
});

it('forgets the oldest changes: what was read before them has no known epoch', () => {
  const epochs = new LeaderEpochs(0, -1);
  for (let epoch = 0; epoch < 1_000; epoch++) epochs.note(10 * epoch, epoch);
  expect(epochs.before(10_000)).toBe(999);
  expect(epochs.before(10 * 990 + 1)).toBe(990);
  expect(epochs.before(100)).toBe(-1);
});
