import { describe, expect, it } from 'vitest';
import type { RunSnapshot } from '../../src/runtime/index.js';
import { pictures } from '../../src/server/live.js';
import { someSnapshot } from '../cli/snapshot.js';
import { orders } from './orders.js';

type Counters = RunSnapshot['counters'];

/** Pictures of a run with these counters, one for each step of a virtual clock. */
function over(seconds: readonly number[], counters: (second: number) => Counters, more: Partial<RunSnapshot> = {}) {
  let second = 0;
  const picture = pictures(
    orders,
    () => ({ ...someSnapshot(), outages: [], counters: counters(second), ...more }),
    () => true,
    () => [],
    () => second * 1_000,
  );
  return seconds.map((each) => {
    second = each;
    return picture();
  });
}
const read = (value: number): Counters => [{ step: 'orders', name: 'read', value }];

describe('pictures of a run', () => {
  it('have no rates at first, and then those of the counters', () => {
    const [first, ...later] = over([0, 1, 2, 3, 4], (second) => read(500 * second));
    expect(first).toMatchObject({ readRate: 0, nodes: { orders: { in: 0, inRate: 0 } } });
    for (const picture of later) expect(picture.readRate).toBeCloseTo(500, 9);
    expect(later.at(-1)?.nodes.orders).toMatchObject({ in: 2_000, out: 2_000 });
  });

  it('smooth rates over five seconds', () => {
    const burst = over([0, 1, 2, 7], (second) => read(second === 0 ? 0 : 600));
    expect(burst[1]?.readRate).toBeCloseTo(600, 9);
    expect(burst[2]?.readRate).toBeCloseTo(600 * Math.exp(-1 / 5), 9);
    expect(burst[3]?.readRate).toBeCloseTo(600 * Math.exp(-6 / 5), 9);
  });

  it('take a counter that falls for a task that has left', () => {
    const [, , third] = over([0, 1, 2], (second) => read([0, 100, 40][second] as number));
    expect(third?.readRate).toBeGreaterThanOrEqual(0);
  });

  it('show lag, status, dead letters, inputs and measures, and no number for what is not known', () => {
    const [picture] = over([5], () => someSnapshot().counters, { outages: someSnapshot().outages });
    expect(picture).toMatchObject({
      status: 'degraded',
      lag: 5,
      deadLetters: [
        { step: 'validate', reason: 'range:amount', count: 2 },
        { step: 'orders', reason: 'truncated', count: 1 },
      ],
      inputs: [{ source: 'orders', task: 0, position: 120, lag: 5, watermarkMs: 1_500, isWaitedFor: false }],
      measures: [
        { step: 'model', name: 'roc_auc', slice: '', value: 0.75, interval: [0.7, 0.8], weight: 1, eventTimeMs: 1_000 },
        { name: 'roc_auc:hourRate' },
        { name: 'roc_auc:lastClass' },
        { name: 'distance:delay' },
        { name: 'roc_auc', slice: 'origin=JFK' },
      ],
      restarts: 3,
    });
    const [empty] = over([5], () => [], { tasks: [], health: [], slices: [] });
    expect(empty).toMatchObject({ lag: null, inputs: [], measures: [], deadLetters: [] });
    expect(JSON.stringify(empty)).not.toMatch(/NaN/);
  });

  it('have the inputs that are furthest behind where there are too many, and say how many are left', () => {
    const [task] = someSnapshot().tasks;
    const tasks = Array.from({ length: 250 }, (_, partition) => ({ ...task, partition, lag: { orders: partition } }));
    const [picture] = over([0], () => [], { tasks: tasks as RunSnapshot['tasks'] });
    expect(picture?.inputs.map((input) => input.task)).toEqual(tasks.slice(50).map(({ partition }) => partition));
    expect(picture?.left).toEqual({ inputs: 50, measures: 0 });
  });

  it('have the first 200 metrics, those over all slices before others, and say how many are left', () => {
    const [{ row }] = someSnapshot().slices as readonly [RunSnapshot['slices'][number]];
    const slices = Array.from({ length: 300 }, (_, i) => ({
      row: { ...row, name: `n${i}`, slice: i < 250 ? `a=${i}` : '' },
      interval: undefined,
    }));
    const [picture] = over([0], () => [], { slices });
    expect(picture?.measures).toHaveLength(200);
    expect(picture?.measures.slice(49, 51).map(({ name, slice }) => [name, slice])).toEqual([
      ['n299', ''],
      ['n0', 'a=0'],
    ]);
    expect(picture?.left.measures).toBe(100);
  });

  it('have the inputs of tasks that are not open yet, of which nothing else is known', () => {
    const [health] = someSnapshot().health;
    const unopened = health ? [health, { ...health, partition: 3, waitsFor: undefined }] : [];
    const [picture] = over([5], () => [], { health: unopened });
    const nothing = { isOpen: false, position: null, lag: null, lagSeconds: null, watermarkMs: null };
    expect(picture?.inputs).toMatchObject([
      { source: 'orders', task: 0, isOpen: true, lag: 5 },
      { source: 'payments', task: 3, ...nothing },
      { source: 'orders', task: 3, ...nothing },
    ]);
    expect(picture?.lag).toBe(5);
  });

  it('say how fast the lag shrinks', () => {
    const [task] = someSnapshot().tasks;
    let second = 0;
    const picture = pictures(
      orders,
      () => ({ ...someSnapshot(), tasks: task ? [{ ...task, lag: { orders: 10_000 - 500 * second } }] : [] }),
      () => true,
      () => [],
      () => second * 1_000,
    );
    expect(picture().lagRate).toBe(0);
    for (second = 1; second < 10; second++) expect(picture().lagRate).toBeCloseTo(-500, 9);
  });

  it('say how far each input is behind in time, and when nothing is behind any more', () => {
    const [task] = someSnapshot().tasks;
    const at = (second: number): Partial<RunSnapshot> => ({
      tasks: task
        ? [
            {
              ...task,
              partition: 0,
              lag: { orders: 9_000 - 300 * second },
              unreadMs: { orders: 1_000 * second - 60_000 },
            },
            { ...task, partition: 1, lag: { orders: 0 }, unreadMs: {} },
            { ...task, partition: 2, lag: {}, unreadMs: {} },
          ]
        : [],
    });
    let second = 0;
    const picture = pictures(
      orders,
      () => ({ ...someSnapshot(), ...at(second) }),
      () => true,
      () => [],
      () => second * 1_000,
    );
    picture();
    second = 1;
    const { inputs, lag, lagRate, lagSeconds } = picture();
    expect({ lag, lagRate, lagSeconds }).toEqual({ lag: 8_700, lagRate: -300, lagSeconds: 60 });
    expect(inputs).toMatchObject([
      { lag: 8_700, lagRate: -300, lagSeconds: 60 },
      { lag: 0, lagRate: 0, lagSeconds: 0 },
      { lag: null, lagRate: 0, lagSeconds: null },
    ]);
  });

  it('have the last errors of a step and the last restarts, the newest first', () => {
    const [picture] = over([5], () => someSnapshot().counters);
    expect(picture?.nodes.orders?.errors).toEqual([
      { atMs: 2_000, reason: 'truncated', place: 'orders.v1/0/17', task: 0 },
    ]);
    expect(picture?.lastRestarts.map(({ atMs, task, where }) => [atMs, task, where])).toEqual([
      [4_000, 0, undefined],
      [3_000, 0, 'history'],
    ]);
    const cause = 'x'.repeat(10_000);
    const [long] = over([5], () => [], {
      health: someSnapshot().health.map((each) => ({ ...each, lastRestarts: [{ atMs: 1, cause, where: undefined }] })),
    });
    expect(long?.lastRestarts[0]?.cause).toHaveLength(300);
  });

  it('say for how long records have not been committed, in the task that is slowest to commit', () => {
    const [task] = someSnapshot().tasks;
    const secondsOf = (...since: readonly (number | undefined)[]) =>
      over([5], () => [], {
        tasks: since.flatMap((uncommittedSinceMs) => (task ? [{ ...task, uncommittedSinceMs }] : [])),
      })[0]?.uncommittedSeconds;
    expect([secondsOf(1_000, 4_000, undefined), secondsOf(undefined), secondsOf()]).toEqual([4, 0, 0]);
  });

  it('have the last epochs, what is stored, and what a step counts besides', () => {
    const [picture] = over([5], () => someSnapshot().counters);
    expect(picture?.epochs).toEqual([
      {
        ...{ subtopology: 'orders', task: 0, epoch: 7, ageSeconds: 4, bytes: 9_000 },
        ...{ drainMs: 30, prepareMs: 2, storeMs: 8, commitMs: 4 },
      },
    ]);
    expect(picture?.nodes.dedupe).toMatchObject({ counts: { duplicates: 5 }, stateBytes: 40_000 });
  });

  it('have the latency of the last ten of them only', () => {
    const { latency } = someSnapshot();
    let second = 0;
    const picture = pictures(
      orders,
      () => ({ ...someSnapshot(), latencies: new Map([['history', latency.copy()]]) }),
      () => true,
      () => [],
      () => second * 1_000,
    );
    const { latency: first, nodes } = picture();
    expect(first?.p99).toBeGreaterThan(40);
    expect(nodes.history?.latency).toEqual(first);
    for (second = 1; second <= 10; second++) {
      latency.record(1, 100);
      picture();
    }
    second = 11;
    latency.record(1, 100);
    expect(picture().latency?.p99).toBeLessThan(2); // the 50 ms of the beginning are out
    for (second = 12; second < 23; second++) picture();
    expect(picture().latency).toBeNull();
  });

  it('have the shares of time of each step, and what the run waits for', () => {
    const [first] = over([0], () => someSnapshot().counters);
    expect(first?.bottleneck).toEqual({ kind: 'wait', id: 'history', share: 0.6, task: 0, isSkewed: false });
    expect(first?.nodes.dedupe?.shares).toEqual({
      busy: 0.25,
      backpressured: 0.6,
      idle: expect.closeTo(0.15),
      task: 0,
    });
    const [, second] = over([0, 1], () => someSnapshot().counters); // no time has passed in the task
    expect(second).toMatchObject({ bottleneck: null, nodes: { dedupe: { shares: null } } });
  });
});
