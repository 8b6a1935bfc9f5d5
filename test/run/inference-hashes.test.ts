import { expect, it } from 'vitest';
import type { Redis } from '../../connectors/redis/open.js';
import type { ModelReport } from '../../src/core/index.js';
import { inferenceHashes } from '../../src/run/inference-hashes.js';
import { someSnapshot } from '../cli/snapshot.js';

it('keeps the newest batches of each model, provider and size as a hash, for a minute', async () => {
  const hashes = new Map<string, Record<string, unknown>>();
  const expiring = new Map<string, unknown>();
  const command: Redis['command'] = async (commands) => {
    for (const { key, command } of commands) {
      const [name, , ...args] = command;
      if (name === 'expire') expiring.set(key, args[0]);
      else hashes.set(key, Object.fromEntries(args.flatMap((field, i) => (i % 2 ? [] : [[field, args[i + 1]]]))));
    }
    return [];
  };
  const connect = async () => ({ command });
  const [someModel] = someSnapshot().models as readonly [ModelReport];
  const batches = { rowsMax: 4, batches: 2, rows: 6, waitMs: 8, runMs: 4 };
  let models: readonly ModelReport[] = [];
  const options = { topology: 'flights', run: 'r1', price: 3.6, models: () => models, onWarning: () => {} };
  const written = inferenceHashes(connect, 'inference:', { ...options, everyMs: 1e6 });
  models = [{ ...someModel, sizes: [batches] }];
  await written.close();
  const key = 'inference:flights:risk.onnx:abc:cpu:4:r1';
  expect([...hashes.keys()]).toEqual([key]);
  expect(expiring.get(key)).toBe(60);
  const { since, until, costPer1000, ...fields } = hashes.get(key) as Record<string, string>;
  expect(fields).toEqual({
    ...{ topology: 'flights', run: 'r1', model: 'risk.onnx', version: 'abc', provider: 'cpu', rowsMax: '4' },
    ...{ batches: '2', rows: '6', waitMs: '4', runMs: '2', workerSeconds: '0.004' },
  });
  expect(Date.parse(until as string)).toBeGreaterThanOrEqual(Date.parse(since as string));
  expect(Number(costPer1000)).toBeCloseTo((3.6 * 0.004) / 3_600 / 0.006, 9);
});
