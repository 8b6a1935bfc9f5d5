import { describe, expect, it } from 'vitest';
import type { TaskSnapshot } from '../../src/runtime/index.js';
import { silences } from '../../src/server/silences.js';

type Pending = TaskSnapshot['pending'][number];
const sink = (ended: number): Pending => ({ kind: 'sink', id: 'history', ended });
const task = (partition: number, ...pending: readonly Pending[]) => ({ subtopology: 'orders', partition, pending });

describe('silences', () => {
  it('names what makes no progress from one picture to the next, with the longest time', () => {
    const next = silences();
    const commit: Pending = { kind: 'ledger', id: 'commit', ended: 3 };
    expect(next([task(0, sink(5)), task(1, sink(9), commit)], 1_000)).toEqual([]);
    expect(next([task(0, sink(5)), task(1, sink(10), commit)], 2_000)).toEqual([
      { id: 'history', seconds: 1 },
      { id: 'the checkpoint', seconds: 1 },
    ]);
    expect(next([task(0, sink(5)), task(1, sink(10))], 4_000)).toEqual([{ id: 'history', seconds: 3 }]);
    expect(next([task(0, sink(6)), task(1, sink(11))], 5_000)).toEqual([]);
  });

  it('begins anew where nothing was in flight, and in a task that was restored', () => {
    const next = silences();
    next([task(0, sink(5))], 1_000);
    expect(next([task(0)], 2_000)).toEqual([]);
    expect(next([task(0, sink(5))], 3_000)).toEqual([]);
    expect(next([task(0, sink(0))], 4_000)).toEqual([]);
    expect(next([task(0, sink(0))], 5_000)).toEqual([{ id: 'history', seconds: 1 }]);
  });
});
