import { type TensorData, type Tier, tiers, type Urgency } from '../../src/core/index.js';
import { bufferPool } from '../../src/inference/scheduling/buffers.js';
import { latencyCurve, measuredSizes } from '../../src/inference/scheduling/latency-curve.js';
import { layoutOf, viewsOf } from '../../src/inference/scheduling/layout.js';
import type { Batch } from '../../src/inference/scheduling/model-queue.js';
import type { createScheduler } from '../../src/inference/scheduling/scheduler.js';
import { noCeiling, scoreRows } from '../../src/inference/session/recovery.js';
import { generator } from '../random.js';

export type CreateScheduler = typeof createScheduler;

/** What rows do to their worker. Good ones have a number from 0. */
const KILLS = -1;
const HANGS = -2;
const IS_BAD = -3;
/** The time after which a worker counts as hung, and the time for a new one. */
const HUNG_MS = 2_000;
const RESTART_MS = 100;
/** A schedule that is not over by then does not end. */
const END_MS = 10 * 60_000;

interface Event {
  readonly atMs: number;
  readonly run: () => void | Promise<void>;
}

/** A clock, and what happens by it. */
function timeline() {
  const events = new Set<Event>();
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    at(atMs: number, run: Event['run']): () => void {
      const event = { atMs: Math.max(atMs, nowMs), run };
      events.add(event);
      return () => void events.delete(event);
    },
    /** `check` runs before each event: what should have happened since the last one has. */
    async runAll(check: () => void): Promise<void> {
      while (events.size > 0 && nowMs < END_MS) {
        let next: Event | undefined;
        for (const event of events) if (next === undefined || event.atMs < next.atMs) next = event;
        events.delete(next as Event);
        nowMs = (next as Event).atMs;
        check();
        await next?.run();
      }
    },
  };
}

/**
 * One seeded schedule: models of several speeds, workers that die, hang and have little memory, rows that kill, hang or fail, calls of
 * many sizes at many times. Returns what is wrong about it.
 */
export async function simulate(createScheduler: CreateScheduler, seed: number): Promise<string[]> {
  const random = generator(seed);
  const upTo = (most: number) => Math.floor(random() * most);
  const time = timeline();
  const wrong: string[] = [];
  const workers = 1 + upTo(3);
  const scheduler = createScheduler({ workers, nowMs: time.nowMs });
  /** The batches of each worker, the running one first. */
  const inWorker = Array.from({ length: workers }, () => [] as Sent[]);
  const down = new Set<number>();
  const lives = new Array<number>(workers).fill(0);
  const deathRate = random() < 0.5 ? 0 : 0.02;
  const poisonRate = random() < 0.5 ? 0 : 0.01;

  interface Asked {
    readonly tier: Tier;
    readonly bucket: number;
    readonly dueMs: number;
    /** Nobody tells when it was left to others, so that it counts as waiting no more. */
    readonly sheds: boolean;
  }
  interface Sent {
    readonly batch: Batch;
    readonly numbers: Float32Array;
    readonly model: Model;
  }
  interface Model {
    readonly name: number;
    readonly queue: ReturnType<typeof scheduler.queue>;
    readonly msOf: (rows: number) => number;
    readonly memory: number;
    readonly ceiling: ReturnType<typeof noCeiling>;
    /** The good rows that wait for a worker, by their number. */
    readonly waiting: Map<number, Asked>;
    /** What was asked about every good row, by its number. */
    readonly asked: Map<number, Asked>;
    /** The rows that were in a batch whose worker was lost: they go before all others. */
    readonly again: Set<number>;
    /** The rows whose worker has died by chance. */
    readonly hit: Set<number>;
    /** The last call in order that is settled. */
    settled: number;
    readonly queueMax: number;
    readonly deadlineMax: number;
    readonly shedsAll: boolean;
  }

  function addModel(name: number): Model {
    const batchMax = 2 ** upTo(6);
    const waitMax = upTo(20);
    const [base, perRow] = [random() < 0.5 ? random() * 3 : random() * 100, random() * 0.2];
    const msOf = (rows: number) => base + perRow * rows + (rows > 8 ? perRow * (rows - 8) : 0) + 1e-3;
    const lengths = random() < 0.3 ? [1, 2] : [1];
    const queueMax = random() < 0.3 ? 20 + upTo(40) : 1e6;
    // Deadlines that are never missed, or such as are.
    const deadlineMax = random() < 0.3 ? END_MS : 200;
    const shedsAll = random() < 0.3;
    const layoutOfRows = (bucket: number, rows: number) =>
      layoutOf([{ name: 'x', type: 'float32', shape: [null] }], lengths[bucket] as number, rows);
    const points = measuredSizes(batchMax).map((rows) => ({ rows, ms: msOf(rows) }));
    const queue = scheduler.queue({
      ...{ batchMax, waitMax, outputSize: 1, version: '', layoutOf: layoutOfRows, pool: bufferPool(2 * workers + 2) },
      ...{ weight: 1 + upTo(3), queueMax },
      ...(random() < 0.8 && {
        curves: lengths.map(() => latencyCurve({ points, rowsMax: batchMax, overheadMs: random() * 0.1 })),
      }),
      dispatch(batch, worker) {
        if (batch.rows < 1 || batch.rows > batchMax) wrong.push(`a batch of ${batch.rows} rows`);
        const input = structuredClone(batch.input, { transfer: [batch.input] });
        const [numbers] = viewsOf(batch.layout, input) as [Float32Array];
        const sent = Array.from(
          { length: batch.rows },
          (_, row) => numbers[(row * numbers.length) / batch.layout.rowsMax] as number,
        );
        checkTurns(model, sent);
        const running = inWorker[worker] as Sent[];
        // What a worker has may take longer than the scheduler expects, but not by much.
        const beforeMs = running.reduce((sum, { model, batch: { rows } }) => sum + model.msOf(rows), 0);
        if (running.length >= 2 && beforeMs > 4) wrong.push(`${beforeMs} ms of batches in a worker, and one more`);
        running.push({ batch, numbers, model });
        if (running.length === 1) begin(worker);
      },
    });
    const memory = 1 + upTo(40);
    const model: Model = {
      name,
      queue,
      msOf,
      memory,
      ceiling: noCeiling(),
      ...{ waiting: new Map(), asked: new Map(), again: new Set(), queueMax, deadlineMax, shedsAll },
      hit: new Set(),
      settled: 0,
    };
    for (let call = 0, atMs = 0; call < 20; call++) {
      atMs += random() < 0.5 ? 0 : random() * 20;
      time.at(atMs, () => addCall(model, call, lengths.length));
    }
    return model;
  }

  let asked = 0;

  function addCall(model: Model, call: number, buckets: number): void {
    const rows = Array.from({ length: upTo(40) }, (_, row) => {
      if (random() >= poisonRate) return call * 1_000 + row;
      return [KILLS, HANGS, IS_BAD][upTo(3)] as number;
    });
    asked++;
    const bucketOf = (row: number) => row % buckets;
    const fill = (row: number, [into]: readonly TensorData[], place: number) => {
      const length = bucketOf(row) + 1;
      (into as Float32Array).fill(rows[row] as number, place * length, (place + 1) * length);
    };
    const urgency = urgencyOf(model);
    for (const [row, number] of rows.entries()) {
      if (number < 0) continue;
      const row_: Asked = {
        tier: urgency?.tierOf?.(row) ?? 'normal',
        bucket: bucketOf(row),
        dueMs: time.nowMs() + (urgency?.deadlineOf?.(row) ?? Number.POSITIVE_INFINITY),
        sheds: urgency?.sheds === true && urgency.deadlineOf !== undefined,
      };
      model.asked.set(number, row_);
      model.waiting.set(number, row_);
    }
    void model.queue.run(rows.length, fill, bucketOf, urgency).then(({ scores, failures, shed }) => {
      asked--;
      if (urgency === undefined && call < model.settled) wrong.push(`call ${call} of model ${model.name} is late`);
      if (urgency === undefined) model.settled = call;
      for (const [row, number] of rows.entries()) {
        const isGood = number >= 0;
        if (shed?.has(row)) checkShed(model, urgency, failures.get(row));
        else if (isGood && failures.has(row)) wrong.push(`a good row failed: ${failures.get(row)}`);
        else if (isGood && scores[row] !== number * 2) wrong.push(`row ${number} got ${scores[row]}`);
        if (!isGood && !failures.has(row)) wrong.push('a bad row was scored');
      }
    });
    const { waiting, lost } = model.queue.stats();
    // Rows that are sent again were let in before.
    if (model.shedsAll && lost === 0 && waiting > model.queueMax) wrong.push('more rows wait than may');
    if (random() > 0.1) return;
    model.queue.flush();
    if (isPlaceFree() && waitsFor(model)) wrong.push('rows wait in spite of a flush');
  }

  function urgencyOf({ deadlineMax, shedsAll }: Model): Urgency | undefined {
    if (!shedsAll && random() < 0.3) return undefined;
    const [tierAt, dueAt] = [upTo(3), deadlineMax === END_MS ? END_MS : 1 + upTo(deadlineMax)];
    const tierOf = (row: number) => tiers[(tierAt + (row % 3 === 0 ? 1 : 0)) % 3] as Tier;
    const deadlineOf = (row: number) => dueAt + (row % 5);
    const hasDeadline = shedsAll || random() < 0.7;
    return { tierOf, sheds: shedsAll || random() < 0.5, ...(hasDeadline && { deadlineOf }) };
  }

  function checkShed({ deadlineMax, queueMax }: Model, urgency: Urgency | undefined, why = ''): void {
    if (!urgency?.sheds || urgency.deadlineOf === undefined) wrong.push('a row was left to nobody');
    if (!why.startsWith('the model is overloaded')) wrong.push(`a row was left to others as it ${why}`);
    if (deadlineMax === END_MS && queueMax === 1e6) wrong.push('a row that had time was left to others');
  }

  /** Of a tier and a length, nothing is sent before what is due sooner; and nothing that is late, if others could answer. */
  function checkTurns(model: Model, sent: readonly number[]): void {
    const first = sent.filter((number) => !model.again.delete(number));
    for (const number of sent) model.waiting.delete(number);
    for (const number of first) {
      const row = model.asked.get(number);
      if (row === undefined) continue;
      if (row.sheds && row.dueMs < time.nowMs()) wrong.push('a row is sent too late');
      for (const other of model.waiting.values())
        if (other.tier === row.tier && other.bucket === row.bucket && !other.sheds && other.dueMs < row.dueMs)
          if (Number.isFinite(row.dueMs)) wrong.push('a row is sent before one that is due sooner');
    }
  }

  /** Whether a row waits that is not to be left to others. */
  const waitsFor = ({ waiting }: Model): boolean => [...waiting.values()].some(({ sheds }) => !sheds);

  /** The worker takes up its first batch. */
  function begin(worker: number): void {
    const [sent] = inWorker[worker] as Sent[];
    if (sent === undefined) return;
    const { batch, numbers, model } = sent;
    const life = lives[worker];
    const later = (ms: number, run: () => void | Promise<void>) =>
      time.at(time.nowMs() + ms, () => (lives[worker] === life ? run() : undefined));
    const length = numbers.length / batch.layout.rowsMax;
    const rows = Array.from({ length: batch.rows }, (_, row) => numbers[row * length] as number);
    const ms = model.msOf(batch.rows) * (0.5 + random());
    if (rows.includes(HANGS)) later(HUNG_MS, () => die(worker));
    else if (rows.includes(KILLS) || diesByChance(model, rows)) later(ms * random(), () => die(worker));
    else later(ms, () => answer(worker, sent, rows, ms));
  }

  /** A row that is there when its worker dies again and again is not distinguished from one that kills it; so chance spares it then. */
  function diesByChance({ hit }: Model, rows: readonly number[]): boolean {
    if (random() >= deathRate || rows.some((row) => hit.has(row))) return false;
    for (const row of rows) hit.add(row);
    return true;
  }

  async function answer(worker: number, { batch, model }: Sent, rows: readonly number[], ms: number): Promise<void> {
    const scored = await scoreRows({
      rows: rows.length,
      outputSize: 1,
      ceiling: model.ceiling,
      probe: async () => {},
      async run(from, count) {
        if (count > model.memory) throw new Error('bad_alloc');
        const part = rows.slice(from, from + count);
        if (part.includes(IS_BAD)) throw new Error('out of bounds');
        return { scores: Float32Array.from(part, (number) => number * 2) };
      },
    });
    (inWorker[worker] as Sent[]).shift();
    begin(worker);
    model.queue.complete(batch, { ...scored, degraded: null }, ms);
  }

  function die(worker: number): void {
    (lives[worker] as number)++;
    down.add(worker);
    scheduler.setUp(worker, false);
    const lost = (inWorker[worker] as Sent[]).splice(0);
    for (const { batch, numbers, model } of lost) {
      for (let row = 0; row < batch.rows; row++) {
        const number = numbers[(row * numbers.length) / batch.layout.rowsMax] as number;
        const row_ = model.asked.get(number);
        if (row_ === undefined) continue;
        model.again.add(number);
        model.waiting.set(number, { ...row_, sheds: false, dueMs: Number.POSITIVE_INFINITY });
      }
    }
    for (const [i, { batch, model }] of lost.entries()) model.queue.lose(batch, i === 0);
    time.at(time.nowMs() + RESTART_MS, () => {
      down.delete(worker);
      scheduler.setUp(worker, true);
    });
  }

  const isPlaceFree = () => inWorker.some((batches, worker) => batches.length < 2 && !down.has(worker));

  /** Nothing waits while a worker has nothing to do. */
  function checkWaits(): void {
    if (!inWorker.some((batches, worker) => batches.length === 0 && !down.has(worker))) return;
    for (const model of models) if (waitsFor(model)) wrong.push(`a row of model ${model.name} waits for no reason`);
  }

  const models = Array.from({ length: 1 + upTo(3) }, (_, name) => addModel(name));
  await time.runAll(checkWaits);
  await new Promise((resolve) => setImmediate(resolve));
  if (asked > 0) wrong.push(`${asked} calls have no answer`);
  return [...new Set(wrong)];
}
