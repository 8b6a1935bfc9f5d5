import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ModelHandle } from '../../src/core/index.js';
import { cached } from '../../src/inference/cache.js';
import { createInference } from '../../src/inference/index.js';
import { type AnswerStore, sharedAnswers } from '../../src/inference/shared-answers.js';

/** What all processes see. */
function memory() {
  const kept = new Map<string, Buffer>();
  const store: AnswerStore = {
    get: async (keys) => keys.map((key) => kept.get(key)),
    async set(answers) {
      for (const [key, bytes] of answers) kept.set(key, bytes);
    },
  };
  return { store, kept };
}

const modelFile = (name: string) => new URL(`./models/${name}.onnx`, import.meta.url);
const spec = { batchMax: 16, waitMax: 2, providers: ['cpu'], cacheBytesMax: 1e6 };
const score = (model: ModelHandle, rows: readonly number[]) =>
  model.run(rows.length, (row, [into], place) => {
    for (let i = 0; i < 20; i++) (into as Float32Array)[place * 20 + i] = Math.sin((rows[row] as number) * 20 + i);
  });

test('a process answers with what another one has remembered, bit for bit, and no other model does', async () => {
  const { store, kept } = memory();
  const processes = [0, 1].map(() => createInference({ answers: store }));
  const rows = Array.from({ length: 40 }, (_, i) => i);
  try {
    const [first, second] = (await Promise.all(
      processes.map((inference) => inference.open({ ...spec, model: modelFile('forest') })),
    )) as [ModelHandle, ModelHandle];
    const expected = await score(first, rows);
    expect(first.stats().cache).toEqual({ hits: 0, shared: 0, misses: 40 });
    expect(await score(second, [...rows, 40])).toMatchObject({
      versions: new Array(41).fill(first.version),
      degraded: new Array(41).fill(null),
      failures: new Map(),
    });
    expect(second.stats()).toMatchObject({ rows: 1, cache: { hits: 40, shared: 40, misses: 1 } });
    expect((await score(second, rows)).scores).toEqual(expected.scores);
    expect(second.stats().cache).toEqual({ hits: 80, shared: 40, misses: 1 });
    // What is no answer is none.
    for (const key of kept.keys()) kept.set(key, Buffer.alloc(3));
    const later = createInference({ answers: store });
    processes.push(later);
    const third = await later.open({ ...spec, model: modelFile('forest') });
    expect((await score(third, rows)).scores).toEqual(expected.scores);
    expect(third.stats().cache).toMatchObject({ shared: 0, misses: 40 });
    const other = await later.open({ ...spec, model: modelFile('mlp') });
    await score(other, rows);
    expect(other.stats().cache).toEqual({ hits: 0, shared: 0, misses: 40 });
  } finally {
    await Promise.all(processes.map((inference) => inference.close()));
  }
});

test('answers of all kinds come back as they were, and those that are not finite are not shared', async () => {
  const { store, kept } = memory();
  const given = new Map([
    ['all', { scores: Float32Array.of(0.1, -0), discrete: [-0, 1 / 3, 2 ** 53, 'F\u00fcchsin "a"', ''] }],
    ['plain', { scores: Float32Array.of(1, 2), discrete: undefined }],
  ]);
  const shared = sharedAnswers(store, 'a model', 2);
  shared.keep(given);
  const [all, nothing, plain] = await shared.recall(['all', 'nothing', 'plain']);
  expect([all, nothing, plain]).toStrictEqual([given.get('all'), undefined, given.get('plain')]);
  expect(Object.is(all?.discrete?.[0], -0)).toBe(true);
  expect(await sharedAnswers(store, 'another', 2).recall(['all'])).toEqual([undefined]);
  kept.clear();
  await score(cached(halfNaN(), 1e6, shared), [0, 1]);
  expect(kept.size).toBe(1);
});

test('what is left of the time is less than what the look took', async () => {
  const slow: AnswerStore = { get: () => pause(20, []), set: async () => {} };
  const left: number[] = [];
  const model: ModelHandle = {
    ...halfNaN(),
    run(rows, fill, bucketOf, urgency) {
      left.push(urgency?.deadlineOf?.(0) ?? Number.NaN);
      return halfNaN().run(rows, fill, bucketOf);
    },
  };
  const deadlineOf = () => 50;
  await cached(model, 1e6, sharedAnswers(slow, '', 1)).run(1, () => {}, undefined, { deadlineOf });
  expect(left[0]).toBeLessThan(35);
});

/** Gives 1 and NaN in turn. */
const halfNaN = (): ModelHandle => ({
  ...{
    inputs: [{ name: 'x', type: 'float32', shape: [20] }],
    lengths: [1],
    outputSize: 1,
    provider: 'cpu',
    version: 'v',
  },
  async run(rows) {
    return {
      scores: Float32Array.from({ length: rows }, (_, row) => (row % 2 === 0 ? 1 : Number.NaN)),
      ...{ failures: new Map(), degraded: new Array(rows).fill(null), versions: new Array(rows).fill('v') },
    };
  },
  flush: () => {},
  async check() {},
  stats: () => ({}) as never,
});
