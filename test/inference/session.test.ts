import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as onnx from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { nodesOn, proveProvider } from '../../src/inference/session/provider-proof.js';
import { openSession } from '../../src/inference/session/session.js';
import { sessionPool } from '../../src/inference/session/session-pool.js';
import { generator } from '../random.js';
import { linear, widening } from './onnx.js';

const modelFile = (name: string) => new URL(`./models/${name}.onnx`, import.meta.url);
const path = (name: string) => fileURLToPath(modelFile(name));
const bytes = (name: string) => readFileSync(modelFile(name));
const digestOf = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
const load = (name: string, batchMax = 8) => ({
  ...{
    artifact: name,
    place: path(name),
    fileBytes: bytes(name).length,
    digest: digestOf(bytes(name)),
  },
  ...{ providers: ['cpu'], batchMax },
});

describe('the proof of where a model runs', () => {
  test('is read from the profile of a real run', async () => {
    const options = { executionProviders: ['cpu'] };
    await proveProvider(onnx, { place: path('mlp') }, { name: 'cpu', shareMin: 1 }, options);
    const elsewhere = proveProvider(onnx, { place: path('mlp') }, { name: 'webgpu' }, options);
    await expect(elsewhere).rejects.toThrow('no node of the model runs on it');
  });
});

test('the share of nodes on a provider is read from the profile, and may be too small', async () => {
  const node = (provider: string) => ({ cat: 'Node', args: { provider } });
  const profile = JSON.stringify([
    { cat: 'Session' },
    ...new Array(3).fill(node('CUDAExecutionProvider')),
    node('CPUExecutionProvider'),
  ]);
  expect(nodesOn(profile, 'cuda')).toEqual({ onIt: 3, all: 4 });
  expect(nodesOn(profile, 'foo')).toEqual({ onIt: 0, all: 4 });
  // All of its nodes are on the CPU; nobody has more.
  const tooMuch = proveProvider(
    onnx,
    { place: path('mlp') },
    { name: 'cpu', shareMin: 1.5 },
    { executionProviders: ['cpu'] },
  );
  await expect(tooMuch).rejects.toThrow(/^runs (\d+) of \1 nodes, which is less than shareMin 1.5$/);
});

describe('sessions', () => {
  test('are opened once for each model and provider, and warmed up for the largest batch asked for', async () => {
    const opened: string[] = [];
    const warm: number[] = [];
    const pool = sessionPool(async (model, provider) => {
      opened.push(`${basename(model.place)} on ${provider}`);
      const session = await openSession(model, provider);
      return {
        ...session,
        warmUp: (batchMax) => {
          warm.push(batchMax);
          return session.warmUp(batchMax);
        },
      };
    });
    const numbers = [];
    const loads = [];
    for (const [name, batchMax] of [
      ['mlp', 8],
      ['identity', 8],
      ['mlp', 4],
      ['mlp', 32],
    ] as const) {
      const { session, loadMs } = await pool.load(load(name, batchMax));
      numbers.push(session);
      loads.push(loadMs > 0);
    }
    expect(numbers).toEqual([0, 1, 0, 0]);
    expect(opened).toEqual(['mlp.onnx on cpu', 'identity.onnx on cpu']);
    expect(warm).toEqual([8, 8, 32]);
    // What a session takes counts once.
    expect(loads).toEqual([true, true, false, false]);
    await pool.release();
  });

  test('that a device opens and cannot warm up are left to the next provider', async () => {
    const released: string[] = [];
    const pool = sessionPool(async (model, provider) => {
      const session = await openSession(model, 'cpu');
      if (provider === 'cpu') return session;
      return {
        ...session,
        warmUp: async () => {
          throw new Error('the device is lost');
        },
        async release() {
          released.push(`${provider}`);
          await session.release();
        },
      };
    });
    const loaded = await pool.load({ ...load('mlp', 8), providers: ['cuda', 'cpu'] });
    expect(loaded).toMatchObject({ provider: 'cpu', refusals: ['cuda: the device is lost'] });
    expect(released).toEqual(['cuda']);
    await pool.release();
  });

  test('that would need a batch without memory for it say so', async () => {
    const pool = sessionPool();
    await expect(pool.load(load('mlp', 2 ** 46))).rejects.toMatchObject({
      code: 'model',
      message: expect.stringContaining('there is no memory for a batch of'),
      hint: 'lower `batchMax`',
    });
    await pool.release();
  });

  test('that fail their warm-up are released, and may be opened again for less', async () => {
    const pool = sessionPool();
    await expect(pool.load(load('batch-mean'))).rejects.toThrow('depends on the batch');
    expect(await pool.load(load('batch-mean', 1))).toMatchObject({ session: 1, provider: 'cpu', refusals: [] });
    expect(() => pool.session(0)).toThrow('no session 0');
    await pool.release();
  });

  test('give a row the same bits alone and beside others, also where the runtime would not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-session-'));
    for (const width of [3, 8, 20, 33]) {
      const place = join(folder, `${width}.onnx`);
      await writeFile(place, linear(width, generator(width)));
      const session = await openSession({ place }, 'cpu');
      await session.warmUp(64);
      const random = generator(1);
      const { buffer: input } = Float32Array.from({ length: 64 * width }, () => 4 * random() - 2);
      const { scores } = await session.score({ input, bucket: 0, rows: 64, rowsMax: 64 });
      for (let row = 0; row < 64; row++) {
        const own = input.slice(4 * row * width, 4 * (row + 1) * width);
        const alone = await session.score({ input: own, bucket: 0, rows: 1, rowsMax: 1 });
        expect(alone.scores).toEqual(scores.slice(2 * row, 2 * (row + 1)));
      }
      await session.release();
    }
    await rm(folder, { recursive: true });
  });

  test('give no row the numbers of another where the width follows from the data', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-session-'));
    await writeFile(join(folder, 'widening.onnx'), widening());
    const tensors = { inputs: ['x'], output: 'y' };
    const session = await openSession({ place: join(folder, 'widening.onnx'), tensors }, 'cpu');
    const { buffer: input } = Float32Array.of(0, 1, 2, 3, 1, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8);
    const { scores, failures } = await session.score({ input, bucket: 0, rows: 3, rowsMax: 3 });
    expect(scores).toEqual(Float32Array.of(0, 0, 0, 0, 0.5, 0.6));
    expect(failures).toEqual([
      [0, 'the model gives 4 numbers for 1 rows, not 2 for each'],
      [1, 'the model gives 3 numbers for 1 rows, not 2 for each'],
    ]);
    await session.release();
    await rm(folder, { recursive: true });
  });

  test('answer the first rows of a buffer and leave the rest alone', async () => {
    const session = await openSession({ place: path('identity') }, 'cpu');
    const { buffer: input } = Float32Array.from({ length: 32 }, (_, i) => i);
    const { scores } = await session.score({ input, bucket: 0, rows: 2, rowsMax: 8 });
    expect(Array.from(scores)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    await session.release();
  });
});
