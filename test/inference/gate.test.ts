import { beforeEach, expect, test } from 'vitest';
import { bufferPool } from '../../src/inference/scheduling/buffers.js';
import { layoutOf } from '../../src/inference/scheduling/layout.js';
import type { Batch, ModelQueue } from '../../src/inference/scheduling/model-queue.js';
import { createScheduler, type Scheduler } from '../../src/inference/scheduling/scheduler.js';

let nowMs: number;
/** The gate of a model that is not in memory: calls that wait, and how many are in. */
let waiting: { begin(): void; fail(cause: unknown): void }[];
let inside: number;
let sent: Batch[];
let scheduler: Scheduler;
let queue: ModelQueue;

beforeEach(() => {
  nowMs = 0;
  waiting = [];
  inside = 0;
  sent = [];
  scheduler = createScheduler({ workers: 1, nowMs: () => nowMs });
  queue = scheduler.queue({
    ...{ batchMax: 8, waitMax: 1, queueMax: 4, outputSize: 1, version: 'digest', pool: bufferPool(4) },
    layoutOf: (_, rows) => layoutOf([{ name: 'x', type: 'float32', shape: [1] }], 1, rows),
    gate: {
      enter: (begin, fail) => void waiting.push({ begin, fail }),
      enterNow: () => false,
      leave: () => void inside--,
    },
    dispatch: (batch) => void sent.push(batch),
  });
});

function open(): void {
  for (const { begin } of waiting.splice(0)) {
    inside++;
    begin();
  }
}

function answer(): void {
  for (const batch of sent.splice(0))
    queue.complete(batch, { scores: new Float32Array(batch.rows), failures: [], degraded: null }, 1);
}

const within = (ms: number) => ({ deadlineOf: () => ms, sheds: true });
const run = (rows: number, urgency = within(100)) => queue.run(rows, () => {}, undefined, urgency);

test('rows that wait for their model to be loaded count, and are left to others at their deadline', async () => {
  const [soon, later] = [run(2, within(50)), run(1, within(500))];
  expect(queue.stats().waiting).toBe(3);
  nowMs = 40;
  scheduler.shedLate();
  expect(queue.stats()).toMatchObject({ waiting: 3, shed: { normal: 0 } });
  nowMs = 60;
  scheduler.shedLate();
  const { shed, failures } = await soon;
  expect([...(shed ?? [])]).toEqual([0, 1]);
  expect(failures.get(0)).toMatch(/^the model is overloaded: it is not loaded in time$/);
  expect(queue.stats()).toMatchObject({ waiting: 1, shed: { normal: 2 } });
  open();
  expect(inside).toBe(1);
  expect(sent.map(({ rows }) => rows)).toEqual([1]);
  answer();
  expect((await later).failures.size).toBe(0);
  expect(inside).toBe(0);
  await queue.idle();
});

test('of more than `queueMax` rows that wait for their model, the last ones of the lowest tier are left to others', async () => {
  const first = run(3);
  const low = queue.run(2, () => {}, undefined, { ...within(100), tierOf: () => 'low' });
  const patient = queue.run(1, () => {});
  expect(queue.stats()).toMatchObject({ waiting: 4, shed: { low: 2 } });
  expect((await low).shed?.size).toBe(2);
  open();
  expect(sent.map(({ rows }) => rows)).toEqual([3]);
  answer();
  expect((await first).shed).toBeUndefined();
  answer();
  await patient;
  expect(inside).toBe(0);
});

test('a call of which some rows were left to others has the answers of the rest', async () => {
  const call = run(6);
  open();
  expect(sent.map(({ rows }) => rows)).toEqual([4]);
  answer();
  expect([...((await call).shed ?? [])]).toEqual([4, 5]);
});

test('calls whose model cannot be loaded are rejected, but for those that were left to others', async () => {
  const [soon, later] = [run(1, within(50)), run(1, within(500))];
  nowMs = 60;
  scheduler.shedLate();
  for (const { fail } of waiting.splice(0)) fail(new Error('no disk'));
  expect((await soon).shed?.size).toBe(1);
  await expect(later).rejects.toThrow('no disk');
  expect(queue.stats().waiting).toBe(0);
});
