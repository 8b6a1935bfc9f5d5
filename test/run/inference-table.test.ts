import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { definition as clickhouse } from '../../connectors/clickhouse/definition.js';
import type { BatchSums, ModelReport } from '../../src/core/index.js';
import { createInference } from '../../src/inference/index.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../src/profiles/profiles.js';
import { inferenceTable } from '../../src/run/inference-table.js';
import { someSnapshot } from '../cli/snapshot.js';

let folder: string;
let profile: OpenProfile;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-batches-'));
  profile = await openProfile(resolveConfig({ flags: { data: folder } }));
});
afterEach(async () => {
  await profile.close();
  rmSync(folder, { recursive: true, force: true });
});

async function rows(): Promise<Record<string, unknown>[]> {
  const { tables } = await profile.connect(clickhouse);
  return tables.query(
    'SELECT * EXCEPT (run, since, until) FROM batches FINAL ORDER BY since, model, provider, rowsMax',
  );
}

const [someModel] = someSnapshot().models as readonly [ModelReport];
const reportOf = (sizes: readonly BatchSums[], others: Partial<ModelReport> = {}): ModelReport => ({
  ...someModel,
  ...others,
  sizes,
});
const options = { topology: "it's", price: 0, everyMs: 1e6, onWarning: () => {} };

it('has the batches of each model and size since the last rows, and what 1,000 of their rows cost', async () => {
  let models: ModelReport[] = [];
  const table = inferenceTable(profile, 'batches', { ...options, price: 3.6, everyMs: 20, models: () => models });
  const small = { rowsMax: 4, batches: 2, rows: 6, waitMs: 8, runMs: 4 };
  const large = { rowsMax: 256, batches: 1, rows: 200, waitMs: 0, runMs: 20 };
  models = [reportOf([small]), reportOf([small]), reportOf([], { model: 'idle.onnx' })];
  await expect.poll(rows, { timeout: 20_000 }).toHaveLength(1);
  models = [reportOf([small, large], { provider: 'cuda' }), reportOf([{ ...small, batches: 3, rows: 10, runMs: 10 }])];
  await table.close();
  const risk = { topology: "it's", model: 'risk.onnx', version: 'abc' };
  expect((await rows()).map((row) => ({ ...row, batches: Number(row.batches), rows: Number(row.rows) }))).toEqual([
    // Two openers of one model with other limits are one.
    {
      ...{ ...risk, provider: 'cpu', rowsMax: 4, batches: 4, rows: 12, waitMs: 4, runMs: 2, workerSeconds: 0.008 },
      costPer1000: expect.closeTo((3.6 * 0.008) / 3_600 / 0.012, 9),
    },
    {
      ...{ ...risk, provider: 'cpu', rowsMax: 4, batches: 1, rows: 4, waitMs: 0, runMs: 6, workerSeconds: 0.006 },
      costPer1000: expect.closeTo((3.6 * 0.006) / 3_600 / 0.004, 9),
    },
    {
      ...{ ...risk, provider: 'cuda', rowsMax: 256, batches: 1, rows: 200, waitMs: 0, runMs: 20, workerSeconds: 0.02 },
      costPer1000: expect.closeTo((3.6 * 0.02) / 3_600 / 0.2, 9),
    },
  ]);
});

it('has later what could not be written, once, and says so once', async () => {
  const warnings: string[] = [];
  let isDown = true;
  let tries = 0;
  const connect: OpenProfile['connect'] = (definition) => {
    tries++;
    if (isDown) throw new Error('no table here');
    return profile.connect(definition);
  };
  let batches = 0;
  const models = () => [reportOf([{ rowsMax: 1, batches: ++batches, rows: batches, waitMs: 0, runMs: batches }])];
  const onWarning = (message: string) => void warnings.push(message);
  const table = inferenceTable({ connect }, 'batches', { ...options, everyMs: 5, models, onWarning });
  await expect.poll(() => tries, { timeout: 20_000 }).toBeGreaterThan(3);
  isDown = false;
  await table.close();
  expect(warnings).toEqual(['the batches of models are not in the table batches yet: no table here']);
  const written = await rows();
  // The first look came before any batch.
  expect(written.reduce((sum, row) => sum + Number(row.rows), 0)).toBe(batches - 1);
  expect(written[0]?.costPer1000).toBeNull();
});

it('tells of real batches', async () => {
  const inference = createInference();
  const models = () => inference.models?.() ?? [];
  const table = inferenceTable(profile, 'batches', { ...options, models });
  try {
    const file = new URL('../inference/models/identity.onnx', import.meta.url);
    const model = await inference.open({ model: file, batchMax: 16, waitMax: 1, providers: ['cpu'] });
    await model.run(100, (_, [into], place) => void (into as Float32Array).fill(1, place * 4, place * 4 + 4));
    await table.close();
    const written = await rows();
    expect(written.reduce((sum, row) => sum + Number(row.rows), 0)).toBe(100);
    for (const row of written) {
      const size = Number(row.rows) / Number(row.batches);
      expect(size).toBeGreaterThan((row.rowsMax as number) / 2);
      expect(size).toBeLessThanOrEqual(row.rowsMax as number);
      expect(row).toMatchObject({ model: 'identity.onnx', version: model.version, provider: 'cpu' });
      expect(row.waitMs).toBeGreaterThanOrEqual(0);
      expect(row.workerSeconds).toBeGreaterThan(0);
    }
  } finally {
    await inference.close();
  }
});

it('has a name that is one', () => {
  const wrong = { ...options, models: () => [] };
  expect(() => inferenceTable(profile, 'a-b', wrong)).toThrow("'a-b' cannot be the name of a table");
});
