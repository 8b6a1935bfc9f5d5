import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TensorData } from '../../src/core/index.js';
import { bufferPool } from '../../src/inference/scheduling/buffers.js';
import { latencyCurve } from '../../src/inference/scheduling/latency-curve.js';
import { layoutOf, viewsOf } from '../../src/inference/scheduling/layout.js';
import type { Batch } from '../../src/inference/scheduling/model-queue.js';
import { createScheduler } from '../../src/inference/scheduling/scheduler.js';

const inputSize = 2;
const outputSize = 3;
const lengths = [1, 3, 8];

/** A world with a clock of its own and workers that answer when they are told to. */
function world(limits: { batchMax: number; waitMax: number; workers: number; msOf?: readonly [number, number][] }) {
  let now = 0;
  const inFlight: { batch: Batch; worker: number; rows: number; input: Float32Array }[] = [];
  const sizes: number[] = [];
  const atGate = { entered: 0, left: 0 };
  const { batchMax, waitMax, workers, msOf } = limits;
  const workersAtOnce = createScheduler({ workers, nowMs: () => now });
  const scheduler = workersAtOnce.queue({
    batchMax,
    waitMax,
    outputSize,
    version: 'digest',
    pool: bufferPool(4),
    gate: {
      enter(begin) {
        atGate.entered++;
        begin();
      },
      // Every other call finds it closed for a moment.
      enterNow() {
        if (atGate.entered % 2 > 0) return false;
        atGate.entered++;
        return true;
      },
      leave: () => void atGate.left++,
    },
    layoutOf: (bucket, rowsMax) =>
      layoutOf(
        [
          { name: 'numbers', type: 'float32', shape: [inputSize] },
          { name: 'rest', type: 'int64', shape: [null] },
        ],
        lengths[bucket] as number,
        rowsMax,
      ),
    ...(msOf && {
      curves: lengths.map(() => latencyCurve({ points: msOf.map(([rows, ms]) => ({ rows, ms })), rowsMax: batchMax })),
    }),
    dispatch(batch, worker) {
      // A worker owns what it was sent: later writes into the batch must not reach it.
      const [input] = viewsOf(batch.layout, structuredClone(batch.input, { transfer: [batch.input] })) as [
        Float32Array,
      ];
      inFlight.push({ batch, worker, rows: batch.rows, input });
      sizes.push(batch.rows);
    },
  });

  return {
    scheduler,
    inFlight,
    sizes,
    atGate,
    advance(ms: number) {
      now += ms;
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
      scheduler.complete(batch, { scores, failures, degraded: null }, 1);
    },
    lose(index: number) {
      const [entry] = inFlight.splice(index, 1);
      if (entry !== undefined) scheduler.fail(entry.batch, new Error('lost'));
    },
    setUp: workersAtOnce.setUp,
    /** What a worker that is down had is lost. */
    lostBy(worker: number) {
      const lost = inFlight.filter((entry) => entry.worker === worker);
      for (const entry of lost) inFlight.splice(inFlight.indexOf(entry), 1);
      for (const [i, { batch }] of lost.entries()) scheduler.lose(batch, i === 0);
    },
    dieAt(index: number) {
      const entry = inFlight[index];
      if (entry !== undefined) this.die(entry.worker);
    },
    /** The worker dies: it was at the first of its batches. */
    die(worker: number) {
      workersAtOnce.setUp(worker, false);
      this.lostBy(worker);
      workersAtOnce.setUp(worker, true);
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
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), index: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat({ max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
);

describe('the micro-batch scheduler', () => {
  test('gives every row its own answer, in order, whatever happens in between', async () => {
    const limits = fc.record({
      batchMax: fc.integer({ min: 1, max: 9 }),
      waitMax: fc.integer({ min: 0, max: 5 }),
      workers: fc.integer({ min: 1, max: 3 }),
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
                    if (failures.get(row)?.includes('died or hung')) continue;
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
          if (event.kind === 'die') w.dieAt(event.index);
          if (event.kind === 'advance') w.advance(event.ms);
          if (event.kind === 'flush') w.scheduler.flush();
          expect(w.inFlight.length).toBeLessThanOrEqual(2 * limits.workers);
        }
        while (w.inFlight.length > 0) w.answer(0);
        await w.scheduler.idle();
        await Promise.all(checks);
        expect(order).toEqual(order.map((_, call) => call));
        expect(order).toHaveLength(checks.length);
        expect(w.atGate).toEqual({ entered: checks.length, left: checks.length });
        expect(Math.max(0, ...w.sizes)).toBeLessThanOrEqual(limits.batchMax);
      }),
      { numRuns: 500 },
    );
  });

  test('never lets an idle worker wait', () => {
    const w = world({ batchMax: 100, waitMax: 50, workers: 1 });
    void w.scheduler.run(1, fillWith(0));
    expect(w.sizes).toEqual([1]);
  });

  test('grows the next batch while one runs, and sends it the moment that one ends', () => {
    const w = world({ batchMax: 100, waitMax: 50, workers: 1 });
    for (let call = 0; call < 10; call++) void w.scheduler.run(3, fillWith(call));
    expect(w.sizes).toEqual([3]);
    w.answer(0);
    expect(w.sizes).toEqual([3, 27]);
  });

  test('sends a full batch behind the running one, and no third', () => {
    const w = world({ batchMax: 8, waitMax: 50, workers: 1 });
    void w.scheduler.run(30, fillWith(0));
    expect(w.sizes).toEqual([8, 8]);
    w.answer(0);
    expect(w.sizes).toEqual([8, 8, 8]);
  });

  test.each([
    ['a millisecond of fast ones', 0.25, [8, 8, 8, 8]],
    ['no third of slow ones', 0.6, [8, 8]],
  ])('sends full batches ahead, %s, and none that may grow', (_, ms, sizes) => {
    const w = world({
      batchMax: 8,
      waitMax: 5,
      workers: 1,
      msOf: [
        [1, ms / 2],
        [8, ms],
      ],
    });
    void w.scheduler.run(8 * sizes.length + 3, fillWith(0));
    expect(w.sizes).toEqual(sizes);
    w.answer(0);
    expect(w.sizes).toEqual(sizes);
    void w.scheduler.run(5, fillWith(0));
    expect(w.sizes).toEqual([...sizes, 8]);
  });

  test('knows how long each row has waited for its answer, also where its batch was lost', () => {
    const w = world({ batchMax: 100, waitMax: 50, workers: 1 });
    void w.scheduler.run(30, fillWith(0));
    w.advance(10);
    void w.scheduler.run(70, fillWith(30));
    w.die(0);
    w.answer(0);
    w.advance(90);
    w.answer(0);
    // 30 rows in 10 ms and 70 in 90: within what its buckets know.
    expect(w.scheduler.stats().rows).toBe(100);
    const { p50, p99 } = w.scheduler.stats().answerMs;
    for (const ms of [p50, p99]) expect([ms >= 90, ms <= 1.19 * 90]).toEqual([true, true]);
    w.advance(1);
    void w.scheduler.run(1_000, fillWith(0));
    for (let batch = 0; batch < 10; batch++) w.answer(0);
    expect(w.scheduler.stats().answerMs.p50).toBeLessThan(1);
    expect(w.scheduler.stats().answerMs.p99).toBeGreaterThan(80);
  });

  test('does not wait for company after a flush', () => {
    const w = world({ batchMax: 100, waitMax: 50, workers: 1 });
    void w.scheduler.run(1, fillWith(0));
    void w.scheduler.run(1, fillWith(1));
    w.scheduler.flush();
    expect(w.sizes).toEqual([1, 1]);
  });

  test('puts rows of one length together, and lets a full batch pass one that waits', () => {
    const w = world({ batchMax: 4, waitMax: 50, workers: 1 });
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

  test('refuses a call that cannot say where its rows belong, and answers the others', async () => {
    const w = world({ batchMax: 4, waitMax: 0, workers: 1 });
    const before = w.scheduler.run(1, fillWith(10));
    const lost = w.scheduler.run(2, fillWith(20), (row) => {
      if (row === 1) throw new Error('no length');
      return 0;
    });
    await expect(lost).rejects.toThrow('no length');
    const after = w.scheduler.run(1, fillWith(30));
    while (w.inFlight.length > 0) w.answer(0);
    expect((await before).scores[0]).toBe(10);
    expect((await after).scores[0]).toBe(30);
    await w.scheduler.idle();
    expect(w.atGate).toEqual({ entered: 2, left: 2 });
  });

  test('takes back the waiting rows of a call whose fill throws, and answers the others', async () => {
    const w = world({ batchMax: 4, waitMax: 50, workers: 1 });
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
    const rejected = expect(broken).rejects.toThrow('no features');
    while (w.inFlight.length > 0) w.answer(0);
    await rejected;
    expect((await before).scores[0]).toBe(10);
    expect((await beside).scores[3]).toBe(21);
    expect((await after).scores[0]).toBe(30);
    // Five of its rows have left before it came to the seventh; the last one never does.
    expect(w.sizes).toEqual([1, 4, 2, 2]);
  });

  test('answers a call without rows in its turn', async () => {
    const w = world({ batchMax: 4, waitMax: 50, workers: 1 });
    const done: string[] = [];
    const some = w.scheduler.run(1, fillWith(1)).then(() => done.push('some'));
    const none = w.scheduler.run(0, fillWith(2)).then(({ scores }) => done.push(`none ${scores.length}`));
    await settled();
    expect(done).toEqual([]);
    w.answer(0);
    await Promise.all([some, none]);
    expect(done).toEqual(['some', 'none 0']);
  });

  test('says of each row of a call who answered it', async () => {
    const w = world({ batchMax: 1, waitMax: 0, workers: 1 });
    const call = w.scheduler.run(2, fillWith(0));
    const [one, two] = w.inFlight.splice(0);
    const scores = new Float32Array(outputSize);
    if (one) w.scheduler.complete(one.batch, { scores, failures: [], degraded: null }, 1);
    if (two) w.scheduler.complete(two.batch, { scores, failures: [], degraded: 'cpu' }, 1);
    expect((await call).degraded).toEqual([null, 'cpu']);
  });
});

describe('a worker that dies', () => {
  test('has its batches filled again from their callers, the one that was to come first, and before all others', async () => {
    const w = world({ batchMax: 4, waitMax: 50, workers: 1 });
    const calls = [0, 10, 20].map((first) => w.scheduler.run(4, fillWith(first)));
    w.die(0);
    expect(w.inFlight.map(({ input }) => input[0])).toEqual([10, 0]);
    while (w.inFlight.length > 0) w.answer(0);
    const scores = (await Promise.all(calls)).map((result) => result.scores[9]);
    expect(scores).toEqual([3, 13, 23]);
    expect(w.sizes).toEqual([4, 4, 4, 4, 4]);
  });

  test('twice at a batch has it halved, until the row is alone', async () => {
    const w = world({ batchMax: 8, waitMax: 50, workers: 1 });
    const call = w.scheduler.run(8, fillWith(0));
    const isPoisoned = ({ rows, input }: (typeof w.inFlight)[number]) =>
      input.subarray(0, rows * inputSize).includes(5);
    while (w.inFlight.length > 0) {
      if (isPoisoned(w.inFlight[0] as (typeof w.inFlight)[number])) w.die(0);
      else w.answer(0);
    }
    const { scores, failures } = await call;
    expect([...failures.keys()]).toEqual([5]);
    expect([0, 1, 2, 3, 4, 6, 7].map((row) => scores[row * outputSize])).toEqual([0, 1, 2, 3, 4, 6, 7]);
  });

  test('leaves its batches to the other workers, and gets none until it is back', () => {
    const w = world({ batchMax: 1, waitMax: 50, workers: 2 });
    void w.scheduler.run(2, fillWith(0));
    expect(w.inFlight.map(({ worker }) => worker)).toEqual([0, 1]);
    w.setUp(0, false);
    w.lostBy(0);
    expect(w.inFlight.map(({ worker }) => worker)).toEqual([1, 1]);
    void w.scheduler.run(2, fillWith(5));
    expect(w.inFlight).toHaveLength(2);
    w.setUp(0, true);
    expect(w.inFlight.map(({ worker }) => worker)).toEqual([1, 1, 0, 0]);
  });

  test('fails the calls whose fill throws the second time, and no others', async () => {
    const w = world({ batchMax: 1, waitMax: 50, workers: 1 });
    let filled = 0;
    const broken = w.scheduler.run(1, () => {
      if (filled++ > 0) throw new Error('the rows are gone');
    });
    const other = w.scheduler.run(1, fillWith(7));
    w.die(0);
    await expect(broken).rejects.toThrow('the rows are gone');
    w.answer(0);
    expect((await other).scores[0]).toBe(7);
  });

  test('gets no say any more: a late answer belongs to nobody', async () => {
    const w = world({ batchMax: 1, waitMax: 50, workers: 1 });
    const call = w.scheduler.run(1, fillWith(3));
    const [late] = w.inFlight;
    w.die(0);
    const scores = new Float32Array(outputSize).fill(99);
    if (late) w.scheduler.complete(late.batch, { scores, failures: [], degraded: null }, 1);
    w.answer(0);
    expect((await call).scores[0]).toBe(3);
  });
});

describe('a model whose latencies are known', () => {
  /** 10 ms for a batch of up to 4 rows, and 5 more for each further row. */
  const msOf = [1, 2, 4, 8, 16].map((rows) => [rows, 10 + 5 * Math.max(0, rows - 4)] as [number, number]);

  test('gets batches of its best size, however many rows wait', () => {
    const w = world({ batchMax: 16, waitMax: 50, workers: 1, msOf });
    void w.scheduler.run(40, fillWith(0));
    expect(w.sizes).toEqual([4, 4]);
  });

  test.each([
    { rows: 3, late: [0, 1, 2] },
    { rows: 3, late: [1] },
    { rows: 100, late: Array.from({ length: 100 }, (_, row) => row) },
  ])('leaves rows to others that would be late, and says which: $late.length of $rows', async ({ rows, late }) => {
    const w = world({ batchMax: 16, waitMax: 50, workers: 1, msOf });
    void w.scheduler.run(8, fillWith(0));
    const deadlineOf = (row: number) => (late.includes(row) ? 5 : 500);
    const call = w.scheduler.run(rows, fillWith(7), undefined, { deadlineOf, sheds: true });
    while (w.inFlight.length > 0) w.answer(0);
    const { shed, failures, scores } = await call;
    expect(shed).toEqual(new Set(late));
    expect([...failures.keys()]).toEqual(late);
    expect(new Set(failures.values())).toEqual(new Set(['the model is overloaded: too much waits before it']));
    for (let row = 0; row < rows; row++) expect(scores[row * outputSize]).toBe(late.includes(row) ? 0 : 7 + row);
  });
});

describe('models that share a worker', () => {
  test('get the same share of its time, though one takes a hundred times as long for a batch', () => {
    let now = 0;
    const running: { readonly name: string; readonly ms: number; end(): void }[] = [];
    const used: Record<string, number> = { cheap: 0, dear: 0 };
    const scheduler = createScheduler({ workers: 1, nowMs: () => now });
    const model = (name: string, ms: number) => {
      const queue = scheduler.queue({
        ...{ batchMax: 8, waitMax: 1, outputSize: 1, version: '', pool: bufferPool(4) },
        layoutOf: (_, rows) => layoutOf([{ name: 'x', type: 'float32', shape: [1] }], 1, rows),
        curves: [latencyCurve({ points: [{ rows: 8, ms }], rowsMax: 8 })],
        dispatch(batch) {
          const scores = new Float32Array(batch.rows);
          running.push({ name, ms, end: () => queue.complete(batch, { scores, failures: [], degraded: null }, ms) });
        },
      });
      return queue;
    };
    void model('cheap', 1).run(8 * 20_000, () => {});
    void model('dear', 100).run(8 * 200, () => {});
    while (now < 10_000) {
      const { name, ms, end } = running.shift() as (typeof running)[number];
      now += ms;
      used[name] = (used[name] ?? 0) + ms;
      end();
    }
    expect((used.cheap as number) / now).toBeGreaterThan(0.45);
    expect((used.cheap as number) / now).toBeLessThan(0.55);
  });

  test('let a batch that is not full have its turn after waitMax, though others are always full', () => {
    let now = 0;
    const running: { readonly name: string; end(): void }[] = [];
    const scheduler = createScheduler({ workers: 1, nowMs: () => now });
    const model = (name: string, waitMax: number) => {
      const queue = scheduler.queue({
        ...{ batchMax: 8, waitMax, outputSize: 1, version: '', pool: bufferPool(4) },
        layoutOf: (_, rows) => layoutOf([{ name: 'x', type: 'float32', shape: [1] }], 1, rows),
        dispatch(batch) {
          const scores = new Float32Array(batch.rows);
          running.push({ name, end: () => queue.complete(batch, { scores, failures: [], degraded: null }, 1) });
        },
      });
      return queue;
    };
    const next = () => {
      now += 1;
      const { name, end } = running.shift() as (typeof running)[number];
      end();
      return name;
    };
    void model('busy', 5).run(8 * 100, () => {});
    void model('rare', 5).run(1, () => {});
    const order = Array.from({ length: 10 }, next);
    // It has waited 5 ms after the fifth batch; two more were under way then.
    expect(order.indexOf('rare')).toBe(6);
    // Alone it goes at once.
    while (running.length > 0) next();
    void model('rare', 5).run(1, () => {});
    expect(running.map(({ name }) => name)).toEqual(['rare']);
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

test('more rows of a later length than may wait are left to others, where none of the first has come', async () => {
  const queue = createScheduler({ workers: 1, nowMs: () => 0 }).queue({
    ...{ batchMax: 4, waitMax: 2, queueMax: 8, outputSize, version: 'digest', pool: bufferPool(4) },
    layoutOf: (bucket, rowsMax) =>
      layoutOf([{ name: 'rest', type: 'float32', shape: [null] }], lengths[bucket] as number, rowsMax),
    dispatch() {},
  });
  const urgency = { sheds: true, deadlineOf: () => 1_000 };
  const ofSecond = () => 1;
  void queue.run(4, () => {}, ofSecond, urgency);
  void queue.run(20, () => {}, ofSecond, { ...urgency, tierOf: () => 'low' });
  expect(queue.stats()).toMatchObject({ shed: { high: 0, normal: 0, low: 12 }, waiting: 8 });
});
