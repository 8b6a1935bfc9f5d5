import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LookupAnswer, type LookupLimits, type LookupReader, MillraceError } from '../../../src/core/index.js';
import { systemClock } from '../../../src/runtime/clock.js';
import { BatchLoader } from '../../../src/runtime/lookups/batch-loader.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';

const limits: LookupLimits = {
  batchMax: 10,
  waitMax: 5,
  concurrencyMax: 2,
  perSecondMax: undefined,
  timeout: 1_000,
  attemptsMax: 3,
  cache: undefined,
};

const answerOf = (key: string): LookupAnswer =>
  key.startsWith('no') ? { kind: 'missing' } : { kind: 'found', value: `<${key}>` };

class Store implements LookupReader {
  readonly questions: string[][] = [];
  underWay = 0;
  underWayMax = 0;
  closed = false;
  constructor(
    private readonly answer: (keys: readonly string[], question: number) => Promise<readonly LookupAnswer[]> = async (
      keys,
    ) => keys.map(answerOf),
    readonly keysMax = 1_000,
  ) {}
  async get(keys: readonly string[]): Promise<readonly LookupAnswer[]> {
    this.questions.push([...keys]);
    this.underWayMax = Math.max(this.underWayMax, ++this.underWay);
    try {
      return await this.answer(keys, this.questions.length);
    } finally {
      this.underWay--;
    }
  }
  async ping(): Promise<void> {}
  async close(): Promise<void> {
    this.closed = true;
  }
}

const open = (store: Store, changes: Partial<LookupLimits> = {}, clock = new VirtualClock()) => ({
  clock,
  loader: new BatchLoader(store, { ...limits, ...changes }, clock, () => 1),
});
const keys = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `k${from + i}`);
const quiet = () => {};

describe('Asker', () => {
  it('gathers keys into questions, asks for a key once however many want it, and bounds what is under way', async () => {
    const store = new Store(async (some) => {
      await sleep(2);
      return some.map(answerOf);
    });
    const { loader } = open(store);
    const all = await Promise.all([
      loader.load(keys(0, 45), quiet),
      loader.load(keys(0, 45), quiet),
      loader.load(keys(30, 60), quiet),
    ]);
    expect(store.questions.flat()).toEqual(keys(0, 60));
    expect(Math.max(...store.questions.map((question) => question.length))).toBe(10);
    expect(store.underWayMax).toBe(2);
    for (const { answers } of all) for (const [key, answer] of answers) expect(answer).toEqual(answerOf(key));
    expect(all.map(({ answers }) => answers.size)).toEqual([45, 45, 30]);
  });

  it('tells who waits of progress as long as they wait, whoever else of theirs has been answered', async () => {
    let answerSlow = () => {};
    const slow = new Promise<void>((resolve) => {
      answerSlow = resolve;
    });
    const store = new Store(async (some) => {
      if (some[0] === 'slow') await slow;
      return some.map(answerOf);
    });
    const { loader } = open(store, { batchMax: 1 });
    let told = 0;
    const progress = () => told++;
    const second = loader.load(['slow'], progress);
    await loader.load(['quick'], progress);
    const before = told;
    answerSlow();
    await second;
    expect(told).toBeGreaterThan(before);
  });

  it('takes a store that throws at once for one that fails', async () => {
    const store = new Store();
    store.get = () => {
      throw new Error('not even asked');
    };
    const { answers } = await open(store).loader.load(['a'], quiet);
    expect(answers.get('a')).toEqual({ kind: 'failed', detail: 'not even asked' });
  });

  it('asks no more keys at once than the store takes', async () => {
    const store = new Store(undefined, 1);
    await open(store).loader.load(keys(0, 5), quiet);
    expect(store.questions).toEqual(keys(0, 5).map((key) => [key]));
  });

  it('waits for company no longer than it may, and not at all when told so', async () => {
    const store = new Store();
    const loader = new BatchLoader(store, { ...limits, waitMax: 60_000 }, systemClock, Math.random);
    const waiting = loader.load(keys(0, 3), quiet);
    await sleep(20);
    expect(store.questions).toEqual([]);
    loader.flush();
    expect((await waiting).answers.size).toBe(3);
    const later = loader.load(keys(3, 16), quiet); // ten are enough for a question, three wait
    await sleep(20);
    expect(store.questions.map((question) => question.length)).toEqual([3, 10]);
    loader.flush();
    await later;
    await loader.close();
    const short = new BatchLoader(store, { ...limits, waitMax: 5 }, systemClock, Math.random);
    expect((await short.load(['a'], quiet)).answers.size).toBe(1);
  });

  it('keeps to its rate', async () => {
    const store = new Store(undefined, 1);
    const { loader, clock } = open(store, { perSecondMax: 10, concurrencyMax: 8 });
    await loader.load(keys(0, 50), quiet);
    expect(clock.now()).toBeGreaterThanOrEqual(4_000); // a second's worth may come at once
    expect(clock.now()).toBeLessThan(6_000);
  });

  it('remembers values and absences for as long as it may', async () => {
    const store = new Store();
    const { loader, clock } = open(store, { cache: { entriesMax: 100, ttl: 1_000, missingTtl: 100 } });
    expect(await loader.load(['a', 'no'], quiet)).toMatchObject({ cached: 0 });
    expect(await loader.load(['a', 'no', 'b'], quiet)).toMatchObject({ cached: 2 });
    clock.advance(500);
    expect(await loader.load(['a', 'no', 'b'], quiet)).toMatchObject({ cached: 2 });
    clock.advance(1_000);
    expect(await loader.load(['a', 'no', 'b'], quiet)).toMatchObject({ cached: 0 });
    expect(store.questions).toEqual([['a', 'no'], ['b'], ['no'], ['a', 'no', 'b']]);
  });

  it('asks again only for what failed, with growing pauses, or when the store says', async () => {
    const store = new Store(async (some, question) =>
      some.map((key): LookupAnswer => {
        if (key === 'a') return answerOf(key);
        if (key === 'b') return { kind: 'refused', detail: 'no such thing' };
        return question < 3 ? { kind: 'failed', detail: 'busy', retryAfterMs: 7_000 } : answerOf(key);
      }),
    );
    const { loader, clock } = open(store);
    const { answers } = await loader.load(['a', 'b', 'c'], quiet);
    expect(store.questions).toEqual([['a', 'b', 'c'], ['c'], ['c']]);
    expect(answers.get('b')).toMatchObject({ kind: 'refused' });
    expect(answers.get('c')).toEqual({ kind: 'found', value: '<c>' });
    expect(clock.now()).toBeGreaterThanOrEqual(14_000);
  });

  it('gives up after its tries, and never remembers a failure', async () => {
    let down = true;
    const store = new Store(async (some) => {
      if (down) throw new Error('connection refused');
      return some.map(answerOf);
    });
    const { loader } = open(store, { cache: { entriesMax: 10, ttl: 1_000, missingTtl: 1_000 } });
    const { answers } = await loader.load(['a'], quiet);
    expect(answers.get('a')).toEqual({ kind: 'failed', detail: 'connection refused' });
    expect(store.questions.length).toBe(3);
    down = false;
    expect((await loader.load(['a'], quiet)).answers.get('a')).toMatchObject({ kind: 'found' });
  });

  it('gives up a question that is not answered, and does not wait for it', async () => {
    const signals: AbortSignal[] = [];
    const store: LookupReader = {
      keysMax: 10,
      get: (_, signal) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
      ping: async () => undefined,
      close: async () => undefined,
    };
    const loader = new BatchLoader(store, { ...limits, timeout: 10, attemptsMax: 2 }, systemClock, () => 0);
    expect((await loader.load(['a'], quiet)).answers.get('a')).toEqual({
      kind: 'failed',
      detail: 'no answer within 10 ms',
    });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it('leaves a store alone that failed several times in a row, and asks again later', async () => {
    let down = true;
    const store = new Store(async (some) => {
      if (down) throw new Error('down');
      return some.map(answerOf);
    });
    const { loader, clock } = open(store, { attemptsMax: 1 });
    for (let i = 0; i < 5; i++) await loader.load([`k${i}`], quiet);
    const asked = store.questions.length;
    const { answers } = await loader.load(keys(10, 30), quiet);
    expect(answers.get('k10')).toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('the circuit breaker is open'),
    });
    expect(store.questions.length).toBe(asked);
    down = false;
    clock.advance(1_000);
    expect((await loader.load(['k10'], quiet)).answers.get('k10')).toMatchObject({ kind: 'found' });
    down = true;
    for (let i = 0; i < 5; i++) await loader.load([`k${i}`], quiet);
    down = false;
    loader.reset();
    expect((await loader.load(['k11'], quiet)).answers.get('k11')).toMatchObject({ kind: 'found' });
  });

  it('passes on what will be the same at every try, at once', async () => {
    const store = new Store(async () => {
      throw new MillraceError('lookup', 'wrong password', { permanent: true });
    });
    const { loader } = open(store);
    await expect(loader.load(['a', 'b'], quiet)).rejects.toThrow('wrong password');
    await expect(loader.load(['a'], quiet)).rejects.toThrow('wrong password');
    expect(store.questions.length).toBe(2);
  });

  it('says that it gets on, to all who wait', async () => {
    const progress = [0, 0];
    const { loader } = open(new Store(undefined, 1), { concurrencyMax: 1 });
    const ask = (from: number, n: number) =>
      loader.load(keys(from, from + 7), () => {
        progress[n] = (progress[n] ?? 0) + 1;
      });
    await Promise.all([ask(0, 0), ask(7, 1)]);
    expect(progress).toEqual([7, 14]);
  });

  it('answers everybody when it closes, and whoever comes later', async () => {
    const store: LookupReader & { closed: boolean } = {
      keysMax: 1,
      closed: false,
      get: () => new Promise(() => undefined),
      ping: async () => undefined,
      async close() {
        store.closed = true;
      },
    };
    const loader = new BatchLoader(store, { ...limits, timeout: 60_000 }, systemClock, Math.random);
    const asked = loader.load(keys(0, 9), quiet);
    await sleep(10);
    await loader.close();
    const { answers } = await asked;
    expect([...answers.values()].map(({ kind }) => kind)).toEqual(new Array(9).fill('failed'));
    expect((await loader.load(['late'], quiet)).answers.get('late')).toMatchObject({ kind: 'failed' });
    expect(store.closed).toBe(true);
  });

  it('says what the store says, whatever is asked, in whatever order things happen', async () => {
    const round = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 20 });
    const shape = fc.record({
      batchMax: fc.integer({ min: 1, max: 7 }),
      concurrencyMax: fc.integer({ min: 1, max: 3 }),
      keysMax: fc.integer({ min: 1, max: 9 }),
      entriesMax: fc.integer({ min: 0, max: 6 }),
      failures: fc.array(fc.boolean(), { maxLength: 30 }),
      latencies: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 10 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(round, { maxLength: 12 }), shape, async (rounds, shapeOf) => {
        const { batchMax, concurrencyMax, keysMax, entriesMax, failures, latencies } = shapeOf;
        const cache = entriesMax > 0 ? { entriesMax, ttl: 50, missingTtl: 10 } : undefined;
        const store = new Store(async (some, question) => {
          for (let i = latencies[question % latencies.length] ?? 0; i > 0; i--)
            await new Promise((resolve) => setImmediate(resolve));
          if (failures[question]) throw new Error('lost');
          return some.map(answerOf);
        }, keysMax);
        const { loader } = open(store, { batchMax, concurrencyMax, attemptsMax: 50, cache });
        const wanted = rounds.map((numbers) => [...new Set(numbers.map((n) => (n % 4 === 0 ? `no${n}` : `k${n}`)))]);
        const all = await Promise.all(wanted.map((some) => loader.load(some, quiet)));
        all.forEach(({ answers }, i) => {
          expect([...answers].sort()).toEqual((wanted[i] ?? []).map((key) => [key, answerOf(key)]).sort());
        });
        expect(store.underWayMax).toBeLessThanOrEqual(concurrencyMax);
        for (const question of store.questions) {
          expect(question.length).toBeLessThanOrEqual(Math.min(batchMax, keysMax));
          expect(new Set(question).size).toBe(question.length);
        }
      }),
      { numRuns: 60 },
    );
  });
});
