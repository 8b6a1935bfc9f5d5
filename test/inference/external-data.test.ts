import { mkdtemp, open, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InferenceService } from '../../src/core/index.js';
import { externalFiles } from '../../src/inference/external-data.js';
import { createInference, type InferenceOptions } from '../../src/inference/index.js';
import { generator } from '../random.js';
import { mlp, weightsIn, weightsInBranches, weightsInNode } from './onnx.js';

let folder: string;
let inference: InferenceService;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-external-'));
});
afterEach(async () => {
  await inference?.close();
  await rm(folder, { recursive: true });
});

const weights = (...numbers: number[]) => new Uint8Array(Float32Array.from(numbers).buffer);
const write = async (name: string, bytes: Uint8Array) => writeFile(join(folder, name), bytes);

async function openModel(options: InferenceOptions = {}) {
  inference = createInference(options);
  return await inference.open({ model: join(folder, 'model.onnx'), batchMax: 4, waitMax: 1, providers: ['cpu'] });
}
type Model = Awaited<ReturnType<typeof openModel>>;
const answer = async (model: Model) =>
  Array.from((await model.run(1, (_, [into]) => (into as Float32Array).set([1, 1]))).scores);

describe('a model with weights in a file of its own', () => {
  test.each(['thread', 'process'] as const)('is loaded with them, in a %s', async (isolation) => {
    await write('model.onnx', weightsIn('w.bin'));
    await write('w.bin', weights(2, 3));
    const first = await openModel({ isolation });
    expect(await answer(first)).toEqual([2, 3]);
    const { version } = first;
    await inference.close();
    await write('w.bin', weights(2, 4));
    const second = await openModel({ isolation });
    expect(await answer(second)).toEqual([2, 4]);
    expect(second.version).not.toBe(version);
  });

  test('that a node has is loaded with them too', async () => {
    await write('model.onnx', weightsInNode('w.bin'));
    await write('w.bin', weights(2, 3));
    expect(await answer(await openModel())).toEqual([2, 3]);
  });

  test('that the graph of a node has is refused, and told how to be saved', async () => {
    await write('model.onnx', weightsInBranches('w.bin'));
    await write('w.bin', weights(2, 3));
    await expect(openModel()).rejects.toMatchObject({
      code: 'model',
      message: expect.stringContaining("weights of an If, Loop or Scan in 'w.bin'"),
      hint: expect.stringContaining('with its weights in it'),
    });
  });

  test('comes back with what was opened, where the file was replaced, and not where it was overwritten', async () => {
    await write('model.onnx', weightsIn('w.bin'));
    await write('w.bin', weights(2, 3));
    const model = await openModel({ isolation: 'process', onWarning: () => {} });
    await write('new.bin', weights(8, 8));
    await rename(join(folder, 'new.bin'), join(folder, 'w.bin'));
    for (const pid of await workers()) process.kill(pid, 'SIGKILL');
    expect(await answer(model)).toEqual([2, 3]);
    await inference.close();

    const next = await openModel({ isolation: 'process', onWarning: () => {} });
    expect(await answer(next)).toEqual([8, 8]);
    await write('w.bin', weights(9, 9));
    for (const pid of await workers()) process.kill(pid, 'SIGKILL');
    await expect(answer(next)).rejects.toMatchObject({
      code: 'model',
      message: expect.stringContaining('overwritten while it was in use'),
    });
  });

  test.each([
    ['is missing', 'w.bin', /w\.bin cannot be read \(no such file or directory\)/, /keep it beside the model/],
    ['is a folder', '.', /cannot be read \(illegal operation on a directory\)/, /keep it beside the model/],
    ['lies elsewhere', '../w.bin', /'\.\.\/w\.bin', which is not in its folder/, /one file beside it/],
    ['has a whole path', '/w.bin', /'\/w\.bin', which is not in its folder/, /one file beside it/],
  ])('is refused where that %s', async (_, location, message, hint) => {
    await write('model.onnx', weightsIn(location));
    const before = (await readdir('/proc/self/fd')).length;
    await expect(openModel()).rejects.toMatchObject({
      code: 'model',
      where: join(folder, 'model.onnx'),
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
    expect((await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(before);
  });
});

/** The processes of inference workers that this one has started. */
async function workers(): Promise<readonly number[]> {
  const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8');
  return children.trim().split(' ').filter(Boolean).map(Number);
}

test('weights are found in a model, and nothing in what is none', async () => {
  const filesOf = async (bytes: Uint8Array) => {
    const path = join(folder, 'any.onnx');
    await write('any.onnx', bytes);
    const handle = await open(path);
    try {
      return externalFiles(handle.fd, bytes.length);
    } finally {
      await handle.close();
      await unlink(path);
    }
  };
  for (const model of [weightsIn, weightsInNode, weightsInBranches])
    expect(await filesOf(model('a/b.bin'))).toEqual([{ path: 'a/b.bin', isOfSubgraph: model === weightsInBranches }]);
  expect(await filesOf(mlp([8, 200, 200, 1], generator(1)))).toEqual([]);
  expect(await filesOf(new Uint8Array())).toEqual([]);
  const random = generator(7);
  const whole = weightsInBranches('w.bin');
  for (let i = 0; i < 300; i++) {
    const bytes = Uint8Array.from(whole);
    for (let changes = 0; changes < 4; changes++)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    await filesOf(bytes.subarray(0, Math.floor(random() * bytes.length)));
  }
});
