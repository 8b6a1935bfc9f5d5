import { describe, expect, it } from 'vitest';
import { countsOf, RunCounts } from '../../src/server/run-counts.js';

const task = (partition: number, epoch: number, value: number, restored = 0) => ({
  subtopology: 'orders',
  partition,
  epoch,
  counters: [{ step: 'orders', name: 'read', value, restored }],
});
const read = (value: number, inThisRun: number) => [{ step: 'orders', name: 'read', value, inThisRun }];

describe('the counts of a run', () => {
  it('tell this run from those before it', () => {
    const counts = new RunCounts();
    counts.note([task(0, 5, 100, 100), task(1, 9, 70, 70)]);
    expect(counts.all()).toEqual(read(170, 0));
    counts.note([task(0, 6, 130, 100), task(1, 9, 70, 70)]);
    expect(counts.all()).toEqual(read(200, 30));
  });

  it('do not fall when a task moves away', () => {
    const counts = new RunCounts();
    counts.note([task(0, 5, 100), task(1, 9, 70)]);
    counts.note([task(0, 6, 130)]);
    expect(counts.all()).toEqual(read(200, 200));
  });

  it('count a task once, as the process that has brought it furthest tells of it', () => {
    const counts = new RunCounts();
    counts.note([task(0, 5, 100), task(1, 9, 70, 10)]);
    counts.note([task(1, 12, 90, 70), task(2, 1, 3)]); // the second process took the second task over
    counts.note([task(1, 9, 75, 10)]); // what the first one had read since is not in the checkpoint
    expect(counts.all()).toEqual(read(193, 183));
  });

  it('of tasks as they are now are the same, without those that have left', () => {
    const counts = new RunCounts();
    const now = [task(0, 5, 100, 20), task(1, 9, 70, 70)];
    counts.note(now);
    expect(countsOf(now)).toEqual(counts.all());
    expect(countsOf(now.slice(1))).toEqual(read(70, 0));
  });

  it('of nobody are none', () => {
    expect(new RunCounts().all()).toEqual([]);
  });
});
