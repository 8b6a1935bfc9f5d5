import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { InferenceService, ModelHandle, ProviderOptions } from '../../../src/core/index.js';
import { createInference } from '../../../src/inference/index.js';
import { mlp } from '../../inference/onnx.js';
import { generator } from '../../random.js';

// On a machine without a GPU this is Mesa's software Vulkan (`npm run setup` installs it). Without a driver these tests fail.

const forest = new URL('../../inference/models/forest.onnx', import.meta.url);
const batchMean = new URL('../../inference/models/batch-mean.onnx', import.meta.url);
const webgpu: ProviderOptions = { name: 'webgpu', shareMin: 1 };

let folder: string;
let network: URL;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-webgpu-'));
  network = pathToFileURL(join(folder, 'network.onnx'));
  await writeFile(network, mlp([20, 64, 32, 2], generator(1)));
});
afterAll(() => rm(folder, { recursive: true }));

let warnings: string[];
let inference: InferenceService;
beforeEach(() => {
  warnings = [];
});
afterEach(() => inference.close());

const start = (isolation: 'thread' | 'process') => {
  inference = createInference({ isolation, onWarning: (message) => warnings.push(message) });
};

async function scoresOf(model: ModelHandle, rows: number, width: number): Promise<Float32Array> {
  const { scores, failures, degraded } = await model.run(rows, (row, [into], place) => {
    for (let i = 0; i < width; i++) (into as Float32Array)[place * width + i] = Math.sin(row * width + i);
  });
  expect(failures.size).toBe(0);
  expect(degraded.every((each) => each === null)).toBe(true);
  return scores;
}

/** The difference that another provider may make, as health checks of such servers allow it. */
function expectClose(a: Float32Array, b: Float32Array): void {
  expect(a).toHaveLength(b.length);
  for (const [i, value] of a.entries())
    expect(Math.abs(value - (b[i] as number))).toBeLessThanOrEqual(1e-5 + 1e-4 * Math.abs(b[i] as number));
}

describe.each(['thread', 'process'] as const)('WebGPU in a %s', (isolation) => {
  test('runs every node of a network, within tolerance of the CPU', async () => {
    start(isolation);
    const limits = { model: network, batchMax: 32, waitMax: 2 };
    const gpu = await inference.open({ ...limits, providers: [webgpu] });
    const cpu = await inference.open({ ...limits, providers: ['cpu'] });
    expect(gpu.provider).toBe('webgpu');
    expect(warnings).toEqual([]);
    for (const rows of [1, 7, 100]) expectClose(await scoresOf(gpu, rows, 20), await scoresOf(cpu, rows, 20));
  });
});

test('a model that WebGPU has no kernels for runs on the CPU, and says so', async () => {
  start('thread');
  const limits = { model: forest, batchMax: 8, waitMax: 2 };
  const model = await inference.open({ ...limits, providers: [webgpu, 'cpu'] });
  expect(model.provider).toBe('cpu');
  expect(warnings).toEqual([expect.stringContaining('webgpu')]);
  const { degraded } = await model.run(1, (_, [into]) => void (into as Float32Array).fill(0.5, 0, 20));
  expect(degraded).toEqual(['cpu']);
});

test('WebGPU runs batches in sizes that it has run before, filled up with the last row', async () => {
  start('thread');
  // It gives each number less the mean of its batch.
  const model = await inference.open({ model: batchMean, batchMax: 8, waitMax: 2, providers: [webgpu] });
  const numbers = [0, 0, 4];
  const { scores } = await model.run(numbers.length, (row, [into], place) =>
    (into as Float32Array).fill(numbers[row] as number, 2 * place, 2 * place + 2),
  );
  // The mean of 0, 0, 4 and 4.
  expect(Array.from(scores)).toEqual([-2, -2, -2, -2, 2, 2]);
});
