import { describe, expect, it } from 'vitest';
import { TaskMeter } from '../../src/runtime/measures/task-meter.js';
import { PendingOperations } from '../../src/runtime/pending-operations.js';

describe('operations in flight', () => {
  it('are silent since the first of them began, or since one ended or made progress', async () => {
    let nowMs = 100;
    const waits = new PendingOperations(new TaskMeter(() => nowMs));
    const sink = { kind: 'sink', id: 'history' } as const;
    const ends: (() => void)[] = [];
    const work = () => waits.track(sink, new Promise<void>((resolve) => ends.push(resolve)));
    expect(waits.silent()).toEqual([]);

    const first = work();
    nowMs = 400;
    void work();
    expect(waits.silent()).toEqual([{ ...sink, silentMs: 300 }]);
    ends[0]?.();
    await first;
    nowMs = 450;
    expect(waits.silent()).toEqual([{ ...sink, silentMs: 50 }]);
    waits.progress(sink);
    nowMs = 470;
    expect(waits.silent()).toEqual([{ ...sink, silentMs: 20 }]);
  });

  it('of inputs say nothing, since an input may have no records', () => {
    const waits = new PendingOperations();
    void waits.track({ kind: 'source', id: 'orders' }, new Promise(() => undefined));
    waits.set({ kind: 'quiet', id: 'labels' }, true);
    expect(waits.silent()).toEqual([]);
  });
});
