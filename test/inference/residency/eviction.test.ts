import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { InferenceService, ModelHandle, TensorData } from '../../../src/core/index.js';
import { createInference, type InferenceOptions } from '../../../src/inference/index.js';
import { generator } from '../../random.js';
import { mlp } from '../onnx.js';

const WIDTH = 16;
const MODELS = 6;
// Large beside what else comes and goes in the memory of a test process.
const UNITS = 1_000;
const FILE_BYTES = 4 * UNITS * UNITS;
/** Room for some of the models in one worker, however much more than its file each takes. */
const memoryMax = 4 * FILE_BYTES;
const spec = { batchMax: 8, waitMax: 2, providers: ['cpu'] };

let folder: string;
let files: URL[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-eviction-'));
  const random = generator(5);
  files = [];
  for (let i = 0; i < MODELS; i++) {
    await writeFile(join(folder, `${i}.onnx`), mlp([WIDTH, UNITS, UNITS, 2], random));
    files.push(pathToFileURL(join(folder, `${i}.onnx`)));
  }
});
afterAll(() => rm(folder, { recursive: true }));

let inference: InferenceService;
afterEach(() => inference.close());

async function openAll(options: InferenceOptions): Promise<ModelHandle[]> {
  inference = createInference(options);
  const handles: ModelHandle[] = [];
  for (const model of files) handles.push(await inference.open({ ...spec, model }));
  return handles;
}

const row = (seed: number) => Float32Array.from({ length: WIDTH }, (_, i) => Math.sin(seed * WIDTH + i));
const ask = async (handle: ModelHandle, seeds: readonly number[]) => {
  const { scores, failures } = await handle.run(seeds.length, (at, [into], place) =>
    (into as Float32Array).set(row(seeds[at] as number), place * WIDTH),
  );
  expect(failures.size).toBe(0);
  return Array.from(scores);
};

/** Calls of all models by chance, some at once; the answers by call. */
async function callAll(handles: readonly ModelHandle[]): Promise<number[][]> {
  const random = generator(9);
  const answers: number[][] = [];
  for (let round = 0; round < 6; round++) {
    const calls = Array.from({ length: 3 }, (_, i) => {
      const handle = handles[Math.floor(random() * handles.length)] as ModelHandle;
      return ask(handle, [round, i, round + i]);
    });
    answers.push(...(await Promise.all(calls)));
  }
  return answers;
}

const sum = (handles: readonly ModelHandle[], of: (stats: ReturnType<ModelHandle['stats']>) => number) =>
  handles.reduce((total, handle) => total + of(handle.stats()), 0);

describe('models that do not fit into memory together', () => {
  test('give the same bits as ones that do, in threads, in processes and in several workers', async () => {
    const expected = await callAll(await openAll({}));
    await inference.close();
    for (const options of [
      { memoryMax },
      { memoryMax, isolation: 'process' },
      { memoryMax: 2 * memoryMax, workers: 2 },
    ] as const) {
      const handles = await openAll(options);
      expect(await callAll(handles)).toEqual(expected);
      expect(sum(handles, ({ evictions }) => evictions)).toBeGreaterThan(1);
      expect(sum(handles, ({ residentBytes }) => residentBytes)).toBeLessThanOrEqual(options.memoryMax);
      expect(sum(handles, ({ residentBytes }) => residentBytes)).toBeGreaterThanOrEqual(FILE_BYTES);
      await inference.close();
    }
  });

  test('leave those that are pinned', async () => {
    inference = createInference({ memoryMax });
    const pinned = await inference.open({ ...spec, model: files[0] as URL, isPinned: true });
    const others = [];
    for (const model of files.slice(1)) others.push(await inference.open({ ...spec, model }));
    await callAll(others);
    expect(pinned.stats()).toMatchObject({ loads: 1, evictions: 0 });
    expect(sum(others, ({ evictions }) => evictions)).toBeGreaterThan(0);
  });

  /** A model that has left, its file, what it answered before, and the others. */
  async function evicted(name: string) {
    const file = pathToFileURL(join(folder, name));
    await writeFile(file, mlp([WIDTH, UNITS, UNITS, 2], generator(6)));
    inference = createInference({ memoryMax });
    const handle = await inference.open({ ...spec, model: file });
    const before = await ask(handle, [1, 2]);
    const others: ModelHandle[] = [];
    for (const model of files.slice(1)) others.push(await inference.open({ ...spec, model }));
    while (handle.stats().residentBytes > 0) for (const other of others) await ask(other, [1]);
    return { file, handle, before, others };
  }

  test('come back as they were where their files were replaced', async () => {
    const { file, handle, before } = await evicted('replaced.onnx');
    await writeFile(join(folder, 'new.onnx'), 'another model');
    await rename(join(folder, 'new.onnx'), file);
    expect(await ask(handle, [1, 2])).toEqual(before);
  });

  test('are refused where their files were overwritten, and the others go on', async () => {
    const { file, handle, others } = await evicted('overwritten.onnx');
    await writeFile(file, mlp([WIDTH, UNITS, UNITS, 2], generator(7)));
    await expect(ask(handle, [1])).rejects.toMatchObject({
      code: 'model',
      message: 'the model file was overwritten while it was in use',
    });
    for (const other of others) await ask(other, [1]);
  });
});

test('a model that has left while it was not asked is loaded and asked golden inputs while its fallback answers', async () => {
  const [net, other, ...others] = files as [URL, URL, ...URL[]];
  inference = createInference({ memoryMax });
  const fallback = [{ ...spec, model: other, isPinned: true }];
  const chain = await inference.open({ ...spec, model: net, fallback });
  const report = () => inference.models?.().find(({ model }) => model === '0.onnx');
  const isAnyOpen = () => inference.models?.().some(({ isOpen }) => isOpen);
  const nan = (_: number, [into]: readonly TensorData[], place: number) =>
    void (into as Float32Array).fill(Number.NaN, place * WIDTH, (place + 1) * WIDTH);
  await chain.run(64, nan);
  expect(report()).toMatchObject({ isOpen: true });
  const rest: ModelHandle[] = [];
  for (const model of others) rest.push(await inference.open({ ...spec, model }));
  // The fallback was asked about the same rows, and its breaker is open as well.
  while ((report()?.residentBytes ?? 0) > 0 || isAnyOpen()) {
    for (const each of rest) await ask(each, [1]);
    await sleep(10);
  }
  const one = () => chain.run(1, (_, [into], place) => (into as Float32Array).set(row(1), place * WIDTH));
  expect((await one()).reasons).toEqual(['unavailable']);
  while ((await one()).reasons !== undefined) await sleep(10);
  expect(report()).toMatchObject({ isOpen: false, openings: 1 });
});

test('equal files share a session', async () => {
  inference = createInference({ memoryMax });
  const copy = join(folder, 'copy.onnx');
  await writeFile(copy, mlp([WIDTH, UNITS, UNITS, 2], generator(5)));
  await writeFile(join(folder, 'original.onnx'), mlp([WIDTH, UNITS, UNITS, 2], generator(5)));
  const one = await inference.open({ ...spec, model: pathToFileURL(copy) });
  const two = await inference.open({ ...spec, batchMax: 4, model: pathToFileURL(join(folder, 'original.onnx')) });
  expect(two).not.toBe(one);
  expect(await ask(two, [1, 2, 3])).toEqual(await ask(one, [1, 2, 3]));
  expect(two.stats()).toMatchObject({ loads: 1, residentBytes: one.stats().residentBytes });
});
