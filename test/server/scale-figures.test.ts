import { expect, it } from 'vitest';
import type { RunSnapshot } from '../../src/runtime/index.js';
import { scaleFigures } from '../../src/server/scale-figures.js';
import { someSnapshot } from '../cli/snapshot.js';

type TaskState = RunSnapshot['health'][number];

/** A run whose tasks have read so much, of which so much elsewhere, and are so far behind. */
function reading() {
  let nowMs = 0;
  let tasks: readonly { partition: number; read: number; restored?: number; lag?: number }[] = [];
  const snapshot = () => {
    const usual = someSnapshot();
    const [task] = usual.tasks as [(typeof usual.tasks)[number]];
    return {
      ...usual,
      tasks: tasks.map(({ partition, read, restored = 0, lag }) => ({
        ...{ ...task, partition, lag: lag === undefined ? {} : { orders: lag } },
        counters: [
          { step: 'orders', name: 'read', value: read, restored },
          { step: 'dedupe', name: 'in', value: 1_000_000, restored: 0 },
        ],
      })),
    };
  };
  return {
    start(first: typeof tasks, isRestoring = () => false) {
      tasks = first;
      const health = () => (isRestoring() ? [{ ...(someSnapshot().health[0] as TaskState), partition: 9 }] : []);
      return scaleFigures(
        () => ({ ...snapshot(), health: health() }),
        () => nowMs,
      );
    },
    to(seconds: number, next: typeof tasks) {
      nowMs = seconds * 1_000;
      tasks = next;
    },
  };
}

it('is the rate since the call that was ten seconds ago or longer, and the lag now', () => {
  const run = reading();
  const figures = run.start([{ partition: 0, read: 0, lag: 0 }]);
  const at = (seconds: number, read: number, lag: number) => {
    run.to(seconds, [{ partition: 0, read, lag }]);
    return figures();
  };
  expect(at(2, 200, 7)).toEqual({ recordsBehind: 7, recordsPerSecond: 100 });
  for (const second of [5, 10, 11, 15, 20]) at(second, second * 100, 40);
  // Since 10 s: nothing was read after 20 s, and what was asked at 11 s is too near to the call before.
  expect(at(22, 2_000, 240)).toEqual({ recordsBehind: 240, recordsPerSecond: 1_000 / 12 });
  expect(at(50, 5_000, 0)).toEqual({ recordsBehind: 0, recordsPerSecond: 100 });
});

it('says no rate to one who has not asked for a minute, and one from then on', () => {
  const run = reading();
  const figures = run.start([{ partition: 0, read: 0, lag: 9 }]);
  run.to(61, [{ partition: 0, read: 6_100, lag: 9 }]);
  expect(figures()).toEqual({ recordsBehind: 9, recordsPerSecond: null });
  run.to(91, [{ partition: 0, read: 6_400, lag: 9 }]);
  expect(figures()).toEqual({ recordsBehind: 9, recordsPerSecond: 10 });
});

it('says no rate while a task has no state yet, whose lag nobody knows', () => {
  const run = reading();
  let isRestoring = true;
  const figures = run.start([{ partition: 0, read: 0, lag: 9 }], () => isRestoring);
  run.to(10, [{ partition: 0, read: 100, lag: 9 }]);
  expect(figures()).toEqual({ recordsBehind: 9, recordsPerSecond: null });
  isRestoring = false;
  expect(figures()).toEqual({ recordsBehind: 9, recordsPerSecond: 10 });
});

it('counts what this process has read: neither what a task brings along, nor what one takes away', () => {
  const run = reading();
  const figures = run.start([]);
  run.to(5, [{ partition: 0, read: 500, lag: 1 }]);
  figures();
  run.to(15, [
    { partition: 0, read: 900, lag: 1 },
    { partition: 1, read: 70_100, restored: 70_000, lag: 2 },
  ]);
  expect(figures()).toEqual({ recordsBehind: 3, recordsPerSecond: 50 });
  run.to(20, [{ partition: 1, read: 70_200, restored: 70_000, lag: 2 }]);
  expect(figures()).toEqual({ recordsBehind: 2, recordsPerSecond: 200 / 15 });
});

it('does not count what a task has read elsewhere while it was away', () => {
  const run = reading();
  const figures = run.start([]);
  run.to(5, [{ partition: 0, read: 500 }]);
  figures();
  run.to(15, [{ partition: 0, read: 60_100, restored: 60_000 }]);
  expect(figures()).toEqual({ recordsBehind: null, recordsPerSecond: 10 });
});
