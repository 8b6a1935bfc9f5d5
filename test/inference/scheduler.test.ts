import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TensorData } from '../../src/core/index.js';
import { bufferPool } from '../../src/inference/buffers.js';
import { layoutOf, viewsOf } from '../../src/inference/layout.js';
import { type Batch, createScheduler } from '../../src/inference/scheduler.js';

const inputSize = 2;
const outputSize = 3;
const lengths = [1, 3, 8];

/** A world with a clock of its own and a worker that answers when it is told to. */
function world(limits: { batchMax: number; waitMax: number; inFlightMax: number }) {
  let now = 0;
  let alarms: { atMs: number; wake: () => void }[] = [];
  const inFlight: { batch: Batch; rows: number; input: Float32Array }[] = [];
  const sizes: number[] = [];
  const buckets = lengths.map((length) =>
    layoutOf(
      [
        { name: 'numbers', type: 'float32', shape: [inputSize] },
        { name: 'rest', type: 'int64', shape: [null] },
      ],
      length,
      limits.batchMax,
    ),
  );
  const scheduler = createScheduler({
    ...limits,
    buckets,
    outputSize,
    pool: bufferPool(4),
    nowMs: () => now,
    startTimer(delayMs, wake) {
      const alarm = { atMs: now + delayMs, wake };
      alarms.push(alarm);
      return () => {
        alarms = alarms.filter((other) => other !== alarm);
      };
    },
    dispatch(batch) {
      // A worker owns what it was sent: later writes into the batch must not reach it.
      const [input] = viewsOf(buckets[batch.bucket] as (typeof buckets)[number], batch.input.slice(0)) as [
        Float32Array,
      ];
      inFlight.push({ batch, rows: batch.rows, input });
      sizes.push(batch.rows);
    },
  });

  return {
    scheduler,
    inFlight,
    sizes,
    alarms: () => alarms.length,
    advance(ms: number) {
      now += ms;
      for (const alarm of alarms.filter(({ atMs }) => atMs <= now)) {
        alarms = alarms.filter((other) => other !== alarm);
        alarm.wake();
      }
    },
    /** Answers a batch: each row gives back its two numbers and their sum; rows marked as bad fail. */
    answer(index: number) {
      const [entry] = inFlight.splice(index, 1);
      if (entry === undefined) return;
      const { batch, rows, input } = entry;
      const scores = new Float32Array(rows * outputSize);
      const failures: [number, string][] = [];
      for (let row = 0; row < rows; row++) {
        const [a = 0, b = 0] = input.subarray(row * inputSize, row * inputSize + 2);
        if (b === bad) failures.push([row, `bad row ${a}`]);
        scores.set([a, b, a + b], row * outputSize);
      }
      scheduler.complete(batch, { scores, failures, degraded: null });
    },
    lose(index: number) {
      const [entry] = inFlight.splice(index, 1);
      if (entry !== undefined) scheduler.fail(entry.batch, new Error('lost'));
    },
  };
}

const bad = -1;
const settled = () => new Promise((resolve) => setImmediate(resolve));
const fillWith =
  (value: number) =>
  (row: number, [into]: readonly TensorData[], place: number) => {
    (into as Float32Array).set([value + row, 0], place * inputSize);
  };

const event = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('run' as const), rows: fc.nat({ max: 20 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), index: fc.nat({ max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), index: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat({ max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
);

describe('the micro-batch scheduler', () => {
  test('gives every row its own answer, in order, whatever happens in between', async () => {
    const limits = fc.record({
      batchMax: fc.integer({ min: 1, max: 9 }),
      waitMax: fc.integer({ min: 0, max: 5 }),
      inFlightMax: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(limits, fc.boolean(), fc.array(event, { maxLength: 60 }), async (limits, isMixed, events) => {
        const w = world(limits);
        const order: number[] = [];
        const checks: Promise<void>[] = [];
        let lost = false;
        let first = 0;
        for (const event of events) {
          if (event.kind === 'run') {
            const base = first;
            const call = checks.length;
            first += event.rows;
            const isBad = (row: number) => (base + row) % 7 === 3;
            const laneOf = (row: number) => (isMixed ? (base + row) % lengths.length : 0);
            const result = w.scheduler.run(
              event.rows,
              (row, [numbers, rest], place) => {
                (numbers as Float32Array).set([base + row, isBad(row) ? bad : row], place * inputSize);
                expect(rest).toHaveLength((lengths[laneOf(row)] as number) * limits.batchMax);
              },
              laneOf,
            );
            checks.push(
              result.then(
                ({ scores, failures }) => {
                  order.push(call);
                  expect(scores).toHaveLength(event.rows * outputSize);
                  for (let row = 0; row < event.rows; row++) {
                    expect(scores[row * outputSize]).toBe(base + row);
                    expect(failures.get(row)).toBe(isBad(row) ? `bad row ${base + row}` : undefined);
                  }
                },
                (error: Error) => {
                  order.push(call);
                  expect(error.message).toBe('lost');
                  expect(lost).toBe(true);
                },
              ),
            );
          }
          if (event.kind === 'answer') w.answer(event.index);
          if (event.kind === 'lose') {
            lost = true;
            w.lose(event.index);
          }
          if (event.kind === 'advance') w.advance(event.ms);
          if (event.kind === 'flush') w.scheduler.flush();
          expect(w.inFlight.length).toBeLessThanOrEqual(limits.inFlightMax);
        }
        while (w.inFlight.length > 0) w.answer(0);
        await w.scheduler.idle();
        await Promise.all(checks);
        expect(order).toEqual(order.map((_, call) => call));
        expect(order).toHaveLength(checks.length);
        expect(Math.max(0, ...w.sizes)).toBeLessThanOrEqual(limits.batchMax);
        expect(w.alarms()).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test('never lets an idle worker wait', () => {
    const w = world({ batchMax: 100, waitMax: 50, inFlightMax: 2 });
    void w.scheduler.run(1, fillWith(0));
    expect(w.sizes).toEqual([1]);
  });

  test('grows the next batch while one runs, and sends it the moment that one ends', () => {
    const w = world({ batchMax: 100, waitMax: 50, inFlightMax: 2 });
    for (let call = 0; call < 10; call++) void w.scheduler.run(3, fillWith(call));
    expect(w.sizes).toEqual([3]);
    w.answer(0);
    expect(w.sizes).toEqual([3, 27]);
  });

  test('sends a full batch behind the running one, and no third', () => {
    const w = world({ batchMax: 8, waitMax: 50, inFlightMax: 2 });
    void w.scheduler.run(30, fillWith(0));
    expect(w.sizes).toEqual([8, 8]);
    w.answer(0);
    expect(w.sizes).toEqual([8, 8, 8]);
  });

  test('sends what has waited long enough, and not before', () => {
    const w = world({ batchMax: 100, waitMax: 5, inFlightMax: 2 });
    void w.scheduler.run(1, fillWith(0));
    void w.scheduler.run(1, fillWith(1));
    w.advance(3);
    void w.scheduler.run(1, fillWith(2));
    w.advance(1);
    expect(w.sizes).toEqual([1]);
    w.advance(1);
    expect(w.sizes).toEqual([1, 2]);
  });

  test('does not wait for company after a flush', () => {
    const w = world({ batchMax: 100, waitMax: 50, inFlightMax: 2 });
    void w.scheduler.run(1, fillWith(0));
    void w.scheduler.run(1, fillWith(1));
    w.scheduler.flush();
    expect(w.sizes).toEqual([1, 1]);
  });

  test('puts rows of one length together, and lets a full batch pass one that waits', () => {
    const w = world({ batchMax: 4, waitMax: 50, inFlightMax: 2 });
    void w.scheduler.run(1, fillWith(0));
    void w.scheduler.run(9, fillWith(10), (row) => (row % 2 === 0 ? 0 : 1));
    expect(w.inFlight.map(({ batch, rows }) => [batch.bucket, rows])).toEqual([
      [0, 1],
      [0, 4],
    ]);
    w.answer(0);
    expect(w.inFlight.map(({ batch, rows }) => [batch.bucket, rows])).toEqual([
      [0, 4],
      [1, 4],
    ]);
    w.answer(0);
    w.answer(0);
    expect(w.inFlight.map(({ batch, rows }) => [batch.bucket, rows])).toEqual([[0, 1]]);
  });

  test('takes back the rows of a call whose fill throws, and answers the others', async () => {
    const w = world({ batchMax: 4, waitMax: 50, inFlightMax: 1 });
    const before = w.scheduler.run(1, fillWith(10));
    const beside = w.scheduler.run(2, fillWith(20));
    const broken = w.scheduler.run(
      9,
      (row) => {
        if (row === 7) throw new Error('no features');
      },
      (row) => row % 3,
    );
    const after = w.scheduler.run(1, fillWith(30));
    await expect(broken).rejects.toThrow('no features');
    while (w.inFlight.length > 0) w.answer(0);
    expect((await before).scores[0]).toBe(10);
    expect((await beside).scores[3]).toBe(21);
    expect((await after).scores[0]).toBe(30);
    expect(w.sizes).toEqual([1, 3]);
  });

  test('answers a call without rows in its turn', async () => {
    const w = world({ batchMax: 4, waitMax: 50, inFlightMax: 1 });
    const done: string[] = [];
    const some = w.scheduler.run(1, fillWith(1)).then(() => done.push('some'));
    const none = w.scheduler.run(0, fillWith(2)).then(({ scores }) => done.push(`none ${scores.length}`));
    await settled();
    expect(done).toEqual([]);
    w.answer(0);
    await Promise.all([some, none]);
    expect(done).toEqual(['some', 'none 0']);
  });

  test('says of a call spread over providers that it is degraded', async () => {
    const w = world({ batchMax: 1, waitMax: 0, inFlightMax: 2 });
    const call = w.scheduler.run(2, fillWith(0));
    const [one, two] = w.inFlight.splice(0);
    const scores = new Float32Array(outputSize);
    if (one) w.scheduler.complete(one.batch, { scores, failures: [], degraded: null });
    if (two) w.scheduler.complete(two.batch, { scores, failures: [], degraded: 'cpu' });
    expect((await call).degraded).toBe('cpu');
  });
});

describe('the buffer pool', () => {
  test('hands out what came back by its size, and keeps no more than it may', () => {
    const pool = bufferPool(2);
    const [a, b, c] = [pool.take(8), pool.take(8), pool.take(16)];
    for (const buffer of [a, b, c]) pool.give(buffer);
    expect(pool.take(8)).toBe(b);
    expect(pool.take(8)).not.toBe(a);
    expect(pool.take(16)).toBe(c);
  });

  test('takes back no buffer that went away', () => {
    const pool = bufferPool(2);
    const gone = pool.take(8);
    structuredClone(gone, { transfer: [gone] });
    pool.give(gone);
    expect(pool.take(0)).not.toBe(gone);
  });
});
