import { describe, expect, it } from 'vitest';
import { DurationHistogram, type RunSnapshot } from '../../../src/runtime/index.js';
import { mergedPicture } from '../../../src/server/group/merge-pictures.js';
import { type Picture, pictures } from '../../../src/server/live.js';
import { someSnapshot } from '../../cli/snapshot.js';
import { orders } from '../orders.js';

type Task = RunSnapshot['tasks'][number];

/** A task that has counted and timed something of its own. */
function task(partition: number): Task {
  const [usual] = someSnapshot().tasks;
  if (!usual) throw new Error('there is a task');
  return {
    ...usual,
    partition,
    positions: { orders: { offset: 100 * partition, mergeTimeMs: 0 } },
    lag: { orders: partition },
    counters: usual.counters.map((each) => ({ ...each, value: each.value * (partition + 1) })),
  };
}

/** The run of a process with these tasks. */
function runOf(partitions: readonly number[]): RunSnapshot {
  const tasks = partitions.map(task);
  const n = tasks.length;
  const latency = new DurationHistogram();
  for (const partition of partitions) latency.record(2 ** partition, 10 * (partition + 1));
  const sums = new Map<string, RunSnapshot['counters'][number]>();
  for (const { step, name, value } of tasks.flatMap(({ counters }) => counters)) {
    const key = `${step}/${name}`;
    sums.set(key, { step, name, value: value + (sums.get(key)?.value ?? 0) });
  }
  return {
    ...someSnapshot(),
    tasks,
    latencies: new Map([['history', latency]]),
    counters: [...sums.values()],
    outages: [],
    slices: partitions.flatMap((partition) =>
      someSnapshot().slices.map(({ row }) => ({
        row: { ...row, task: partition, value: 0.1 * partition },
        interval: [0.1 * partition - 0.02, 0.1 * partition + 0.01] as const,
      })),
    ),
    health: partitions.map((partition) => ({
      ...{ subtopology: 'orders', partition, restarts: 1, stalls: 0, lastRestarts: [], waitsFor: undefined },
    })),
    models: someSnapshot().models.map((each) => ({ ...each, rows: 10 * n, lost: n, failed: n, batches: n })),
  };
}

/** The second picture of a run: the first has no rates. */
function pictureOf(partitions: readonly number[], more: Partial<RunSnapshot> = {}): Picture {
  let second = 0;
  const next = pictures(
    orders,
    () => {
      const run = { ...runOf(partitions), ...more };
      for (let more = 0; more < second; more++)
        for (const [sink, latency] of runOf(partitions).latencies) run.latencies.get(sink)?.add(latency);
      const counters = run.counters.map((each) => ({ ...each, value: each.value * (1 + second) }));
      return { ...run, counters };
    },
    () => true,
    () => [],
    () => second * 1_000,
  );
  next();
  second = 1;
  return next();
}

describe('merged pictures', () => {
  it('are that of all tasks in one process', () => {
    const whole = pictureOf([0, 1, 2, 3, 4]);
    const merged = mergedPicture(pictureOf([0, 3]), [pictureOf([1]), pictureOf([2, 4])]);
    const same = (picture: Picture) => {
      const { loop: _, memoryBytes, latency, measures, ...rest } = picture;
      expect(memoryBytes).toBeGreaterThan(0);
      const short = measures.map(({ value, interval, ...each }) => ({
        ...{ ...each, value: value.toFixed(12), interval: interval?.map((limit) => limit.toFixed(12)) },
      }));
      return { ...rest, latency, measures: short };
    };
    expect(same(merged)).toEqual(same(whole));
    expect(whole.readRate).toBeGreaterThan(0);
    expect(merged.latency?.p99).toBeGreaterThan(14);
  });

  it('say what is worst: the sink that has been down longest, the bottleneck that tasks wait for', () => {
    const outage = (sinceMs: number) => ({ sink: 'history', sinceMs, cause: 'refused' });
    const [a, b] = [pictureOf([0], { outages: [outage(0)] }), pictureOf([1], { outages: [outage(-9_000)] })];
    expect(mergedPicture(a, [b])).toMatchObject({ status: 'degraded', sinksDown: [{ seconds: 10 }] });
    const busy = { ...pictureOf([0]), bottleneck: { ...named('dedupe'), kind: 'busy' as const, share: 0.99 } };
    const waits = { ...pictureOf([1]), bottleneck: { ...named('history'), kind: 'wait' as const, share: 0.6 } };
    const none = { ...pictureOf([2]), bottleneck: null };
    for (const order of [
      [busy, waits, none],
      [none, waits, busy],
    ] as const)
      expect(mergedPicture(order[0], order.slice(1))).toMatchObject({
        bottleneck: { id: 'history' },
        bottleneckText: 'Bottleneck: history. Task 1 waited for it 60 % of the time.',
      });
  });

  it('of one process are its own', () => {
    const own = pictureOf([0, 1]);
    expect(mergedPicture(own, [])).toEqual(own);
  });
});

const named = (id: string) => ({ id, task: 1, isSkewed: false });

describe('rates', () => {
  it('are not those of records that a task had counted before this process took it over', () => {
    let second = 0;
    const next = pictures(
      orders,
      () => {
        const taken = {
          ...task(1),
          counters: [{ step: 'orders', name: 'read', value: 1_000_000, restored: 1_000_000 }],
        };
        const own = { ...task(0), counters: [{ step: 'orders', name: 'read', value: 100 * second, restored: 0 }] };
        const tasks = second < 2 ? [own] : [own, taken];
        const value = tasks.reduce((sum, { counters }) => sum + (counters[0]?.value ?? 0), 0);
        return { ...someSnapshot(), tasks, counters: [{ step: 'orders', name: 'read', value }] };
      },
      () => true,
      () => [],
      () => second * 1_000,
    );
    const rates = [0, 1, 2, 3].map((each) => {
      second = each;
      return next().readRate;
    });
    expect(rates.map(Math.round)).toEqual([0, 100, 100, 100]);
  });
});

it('keeps every box, however many there are', () => {
  const [own, other] = [pictureOf([0]), pictureOf([1])];
  const nodes = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`step-${n}`, other.nodes.orders]));
  expect(Object.keys(mergedPicture(own, [{ ...other, nodes: nodes as Picture['nodes'] }]).nodes)).toHaveLength(
    300 + Object.keys(own.nodes).length,
  );
});
