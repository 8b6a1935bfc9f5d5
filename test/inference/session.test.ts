import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openSession, proveProvider } from '../../src/inference/session/session.js';
import { sessionPool } from '../../src/inference/session/session-pool.js';

const bytes = (name: string) => readFileSync(new URL(`./models/${name}.onnx`, import.meta.url));
const load = (name: string, batchMax = 8) => ({ digest: name, bytes: bytes(name), providers: ['cpu'], batchMax });

describe('the proof of where a model runs', () => {
  test('is read from the profile of a real run', async () => {
    await proveProvider({ bytes: bytes('mlp') }, 'cpu', { executionProviders: ['cpu'] });
    const elsewhere = proveProvider({ bytes: bytes('mlp') }, 'webgpu', { executionProviders: ['cpu'] });
    await expect(elsewhere).rejects.toThrow('no node of the model runs on it');
  });
});

describe('sessions', () => {
  test('are opened once for each model and provider, and warmed up for the largest batch asked for', async () => {
    const opened: string[] = [];
    const warm: number[] = [];
    const pool = sessionPool(async (model, provider) => {
      opened.push(`${model.digest} on ${provider}`);
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
    for (const [name, batchMax] of [
      ['mlp', 8],
      ['identity', 8],
      ['mlp', 4],
      ['mlp', 32],
    ] as const) {
      numbers.push((await pool.load(load(name, batchMax))).session);
    }
    expect(numbers).toEqual([0, 1, 0, 0]);
    expect(opened).toEqual(['mlp on cpu', 'identity on cpu']);
    expect(warm).toEqual([8, 8, 32]);
    await pool.release();
  });

  test('that fail their warm-up may be warmed up again for less', async () => {
    const pool = sessionPool();
    await expect(pool.load(load('batch-mean'))).rejects.toThrow('depends on the batch');
    expect(await pool.load(load('batch-mean', 1))).toMatchObject({ session: 0, provider: 'cpu', refusals: [] });
    await pool.release();
  });

  test('answer the first rows of a buffer and leave the rest alone', async () => {
    const session = await openSession(load('identity'), 'cpu');
    const { buffer: input } = Float32Array.from({ length: 32 }, (_, i) => i);
    const { scores } = await session.score({ input, bucket: 0, rows: 2, rowsMax: 8 });
    expect(Array.from(scores)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    await session.release();
  });
});
