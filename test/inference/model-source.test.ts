import { mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as onnx from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { messageOf } from '../../src/core/index.js';
import { digestOfAll, sha256 } from '../../src/inference/external-data.js';
import { createSession } from '../../src/inference/session/model-source.js';
import { openSession } from '../../src/inference/session/session.js';
import { sessionPool } from '../../src/inference/session/session-pool.js';
import { generator } from '../random.js';
import { mlp, weightsIn } from './onnx.js';

let folder: string;
let place: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'model-source-'));
  place = join(folder, 'model.onnx');
});
afterEach(async () => await rm(folder, { recursive: true }));

const network = (seed: number, units = 8) => mlp([4, units, units, 2], generator(seed));
const load = (content: Uint8Array) => ({
  ...{ artifact: 'a', place, fileBytes: content.length, digest: sha256(content) },
  ...{ providers: ['cpu'], batchMax: 4 },
});

describe('a model file', () => {
  test('is read by the runtime alone: no buffer of it has to be given back', async () => {
    const content = network(1, 1_600);
    expect(content.length).toBeGreaterThan(2 ** 23);
    await writeFile(place, content);
    const before = process.memoryUsage().arrayBuffers;
    const pool = sessionPool();
    await pool.load(load(content));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
    await pool.release();
  });

  test('gives the buffers of weights beside it back at once, also where no session comes of them', async () => {
    const bytes = 2 ** 25;
    const [file, weights] = [join(folder, 'w.bin'), Buffer.alloc(bytes, 1)];
    await writeFile(file, weights);
    const withWeights = async (content: Uint8Array) => {
      await writeFile(place, content);
      const data = [{ path: 'w.bin', place: file, bytes }];
      const digest = digestOfAll(sha256(content), [{ path: 'w.bin', digest: sha256(weights) }]);
      const before = process.memoryUsage().rss;
      const pool = sessionPool();
      const loaded = await pool.load({ ...load(content), digest, data }).catch(messageOf);
      await pool.release();
      return { loaded, grownBy: process.memoryUsage().rss - before };
    };
    // The first session of a process loads libraries.
    await withWeights(weightsIn('w.bin'));
    const { loaded, grownBy } = await withWeights(weightsIn('w.bin'));
    expect(loaded).toMatchObject({ outputSize: 2 });
    expect(grownBy).toBeLessThan(bytes / 2);
    const refused = await withWeights(Buffer.from('no model'));
    expect(refused.loaded).toContain('no provider can run the model');
    expect(refused.grownBy).toBeLessThan(bytes / 2);
  });

  test('may have more weights than Node reads at a time', async () => {
    const [file, bytes] = [join(folder, 'w.bin'), 2 ** 31 + 8];
    await writeFile(place, network(1));
    await writeFile(file, '');
    await truncate(file, bytes);
    const given: number[] = [];
    const create = vi.spyOn(onnx.InferenceSession, 'create').mockImplementation(async (...args) => {
      const { externalData = [] } = args.at(-1) as onnx.InferenceSession.SessionOptions;
      for (const weights of externalData) if (typeof weights !== 'string') given.push((weights.data as Buffer).length);
      throw new Error('no session');
    });
    const data = [{ path: 'w.bin', place: file, bytes }];
    await expect(createSession(onnx, { place, data }, {})).rejects.toThrow('no session');
    create.mockRestore();
    expect(given).toEqual([bytes]);
  });

  test("may be one in the runtime's own format, whatever its name", async () => {
    await writeFile(place, network(1));
    const session = await openSession({ place }, 'cpu');
    const optimized = join(folder, 'model.ort');
    const native = await onnx.InferenceSession.create(place, { optimizedModelFilePath: optimized });
    await native.release();
    await rename(optimized, join(folder, 'model'));
    const other = await openSession({ place: join(folder, 'model') }, 'cpu');
    const batch = { input: Float32Array.from([1, 2, 3, 4]).buffer, bucket: 0, rows: 1, rowsMax: 1 };
    expect(await other.score(batch)).toEqual(await session.score(batch));
    await Promise.all([session.release(), other.release()]);
  });

  test('that is no model is refused by what the runtime says, without a path that tells nobody anything', async () => {
    const content = Buffer.from('no model');
    await writeFile(place, content);
    await expect(sessionPool().load(load(content))).rejects.toMatchObject({
      code: 'model',
      message: 'no provider can run the model (cpu: Load model from the file failed:Protobuf parsing failed.)',
    });
    await writeFile(place, '');
    await expect(sessionPool().load(load(Buffer.from('')))).rejects.toMatchObject({
      message:
        'no provider can run the model (cpu: Load model from the file failed: ModelProto does not have a graph.)',
    });
  });

  test('that was overwritten is refused, whether a session can be made of it or not', async () => {
    const content = network(1);
    for (const other of [network(2), Buffer.from('no model')]) {
      await writeFile(place, other);
      await expect(sessionPool().load(load(content))).rejects.toMatchObject({
        code: 'model',
        message: 'the model file was overwritten while it was in use',
      });
    }
  });

  test('that is overwritten while a session is made of it is refused, and the session is released', async () => {
    const content = network(1);
    await writeFile(place, content);
    let released = 0;
    const pool = sessionPool(async (model, provider) => {
      const session = await openSession(model, provider);
      await writeFile(place, network(2));
      return {
        ...session,
        release: async () => {
          released++;
          await session.release();
        },
      };
    });
    await expect(pool.load(load(content))).rejects.toThrow('was overwritten');
    expect(released).toBe(1);
    await pool.release();
    expect(released).toBe(1);
  });

  test('that cannot be read may be read later', async () => {
    await expect(sessionPool().load(load(network(1)))).rejects.toMatchObject({ code: 'inference' });
  });
});
