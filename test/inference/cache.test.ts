import { afterEach, describe, expect, test } from 'vitest';
import type { InferenceService, ModelHandle, RunResult } from '../../src/core/index.js';
import { cached } from '../../src/inference/cache.js';
import { createInference } from '../../src/inference/index.js';
import { generator } from '../random.js';

/** A model of one number, which it doubles; negative rows fail, and rows from 100 on are answered by another provider. */
function doubling() {
  const asked: number[][] = [];
  const handle: ModelHandle = {
    inputs: [{ name: 'x', type: 'float32', shape: [1] }],
    ...{ lengths: [1], outputSize: 1, provider: 'cpu', version: 'v' },
    async run(rows, fill): Promise<RunResult> {
      const numbers = new Float32Array(rows);
      for (let row = 0; row < rows; row++) fill(row, [numbers], row);
      asked.push([...numbers]);
      return {
        scores: numbers.map((number) => 2 * number),
        failures: new Map([...numbers].flatMap((number, row) => (number < 0 ? [[row, 'negative'] as const] : []))),
        degraded: [...numbers].map((number) => (number >= 100 ? 'other' : null)),
        versions: new Array<string>(rows).fill('v'),
      };
    },
    flush: () => {},
    async check() {},
    stats: () => ({
      ...{ rows: 0, failed: 0, batches: 0, lost: 0, workerMs: 0, batchRows: [1], runRows: [1] },
      sizes: [],
      ...{ notFinite: 0, late: 0, waiting: 0, checks: 0, wrongChecks: 0, answerMs: { p50: 2, p99: 9 }, slowness: 1 },
      shed: { high: 0, normal: 0, low: 0 },
      ...{ loads: 1, loadMs: 1, evictions: 0, residentBytes: 0 },
    }),
  };
  return { handle, asked };
}

const ask = (model: ModelHandle, numbers: readonly number[]) =>
  model.run(numbers.length, (row, [into], place) => {
    (into as Float32Array)[place] = numbers[row] as number;
  });

describe('a model with a cache', () => {
  test('keeps what it has where an answer is larger than the cache', async () => {
    const { handle, asked } = doubling();
    const words = ['short', 'x'.repeat(1_000)];
    const model = cached(
      {
        ...handle,
        async run(rows, fill, ...others) {
          const result = await handle.run(rows, fill, ...others);
          return { ...result, discrete: Array.from(result.scores, (score) => [words[Number(score >= 10)] as string]) };
        },
      },
      1_000,
    );
    for (const number of [1, 7, 1]) await ask(model, [number]);
    expect(asked).toEqual([[1], [7]]);
  });

  test('is asked only about rows that it has not answered', async () => {
    const { handle, asked } = doubling();
    const model = cached(handle, 1e6);
    expect((await ask(model, [1, 2, 3])).scores).toEqual(Float32Array.of(2, 4, 6));
    const { scores, versions, degraded, failures } = await ask(model, [3, 4, 1]);
    expect(scores).toEqual(Float32Array.of(6, 8, 2));
    expect(versions).toEqual(['v', 'v', 'v']);
    expect(degraded).toEqual([null, null, null]);
    expect(failures.size).toBe(0);
    expect((await ask(model, [4, 4])).scores).toEqual(Float32Array.of(8, 8));
    expect(asked).toEqual([[1, 2, 3], [4]]);
    expect(model.stats().cache).toEqual({ hits: 4, shared: 0, misses: 4 });
  });

  test('remembers neither failures nor answers of another provider', async () => {
    const { handle, asked } = doubling();
    const model = cached(handle, 1e6);
    for (let i = 0; i < 2; i++) {
      const { failures, degraded } = await ask(model, [1, -1, 100]);
      expect([...failures]).toEqual([[1, 'negative']]);
      expect(degraded).toEqual([null, null, 'other']);
    }
    expect(asked).toEqual([
      [1, -1, 100],
      [-1, 100],
    ]);
  });

  test('forgets what was used the least recently', async () => {
    const { handle, asked } = doubling();
    const model = cached(handle, 500);
    for (const numbers of [[1], [2], [3], [1], [4], [1], [2]]) await ask(model, numbers);
    expect(asked).toEqual([[1], [2], [3], [4], [2]]);
  });

  test('answers calls in their order', async () => {
    const { handle } = doubling();
    const model = cached(handle, 1e6);
    await ask(model, [1]);
    const order: number[] = [];
    const calls = [[7], [1], [8], [1, 7]].map((numbers, call) => ask(model, numbers).then(() => order.push(call)));
    await Promise.all(calls);
    expect(order).toEqual([0, 1, 2, 3]);
  });
});

let inference: InferenceService | undefined;
afterEach(() => inference?.close());

test('a real model gives the same bits with a cache, however small', async () => {
  const service = createInference();
  inference = service;
  const spec = {
    model: new URL('./models/forest.onnx', import.meta.url),
    batchMax: 16,
    waitMax: 2,
    providers: ['cpu'],
  };
  const random = generator(4);
  const rows = Array.from({ length: 400 }, () => Math.floor(random() * 60));
  const score = async (model: ModelHandle) => {
    const scores: number[] = [];
    for (let at = 0; at < rows.length; at += 25) {
      const part = rows.slice(at, at + 25);
      const result = await model.run(part.length, (row, [into], place) => {
        for (let i = 0; i < 20; i++) (into as Float32Array)[place * 20 + i] = Math.sin((part[row] as number) * 20 + i);
      });
      scores.push(...result.scores);
    }
    return scores;
  };
  const expected = await score(await service.open(spec));
  for (const cacheBytesMax of [3_000, 1e6]) {
    const model = await service.open({ ...spec, cacheBytesMax });
    expect(await score(model)).toEqual(expected);
    expect(model.stats().cache?.hits).toBeGreaterThan(10);
  }
  expect(service.models?.().filter(({ cache }) => cache !== undefined)).toHaveLength(2);
});
