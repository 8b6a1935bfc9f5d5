import { describe, expect, it } from 'vitest';
import type { TaskSnapshot } from '../../src/runtime/index.js';
import { silences } from '../../src/server/silences.js';

type Pending = TaskSnapshot['pending'][number];
const task = (...pending: readonly Pending[]) => ({ pending });
const sink = (id: string, silentMs: number): Pending => ({ kind: 'sink', id, silentMs });

describe('silences', () => {
  it('name what makes no progress, with the longest time of all tasks', () => {
    const commit: Pending = { kind: 'ledger', id: 'commit', silentMs: 2_400 };
    expect(
      silences([task(sink('history', 1_900), sink('newest', 1_300)), task(sink('history', 4_100), commit), task()]),
    ).toEqual([
      { id: 'history', seconds: 4 },
      { id: 'the checkpoint', seconds: 2 },
    ]);
  });

  it('call the sinks of the engine by their names', () => {
    expect(silences([task(sink('$metrics', 2_000))])).toEqual([{ id: 'metrics', seconds: 2 }]);
  });
});
