import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runBuilt, startBuilt } from './cli.js';

const FLIGHTS = 20_000;
const view = 'topologies/flight-features.ts';
const store = ['--table', 'flight_features'];
const predictions = 'SELECT flightId AS entity, departedAt AS time, featuresDigest AS digest FROM predictions';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-features-'));
  await runBuilt(['demo', '--limit', String(FLIGHTS), '--data', folder, '--json']);
  await runBuilt(['run', 'topologies/flight-feature-store.ts', '--until-end', '--data', folder]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('flights that one topology predicted have in the store of another the features that they were predicted from', async () => {
  const found = await runBuilt([
    'features',
    'audit',
    view,
    ...store,
    '--predictions',
    predictions,
    '--data',
    folder,
    '--json',
  ]);
  expect(JSON.parse(found)).toEqual({
    predictions: FLIGHTS,
    equal: FLIGHTS,
    missing: 0,
    stale: 0,
    different: 0,
    samples: [],
  });
});

it.each([
  ['another rounding', 'rounded', 'flight_features_rounded', [FLIGHTS / 4, FLIGHTS]],
  ['a late update of every hundredth flight', 'updatedLate', 'flight_features_updated', [FLIGHTS / 100, FLIGHTS / 100]],
] as const)('%s on the way into the store is found', async (_, name, table, [least, most]) => {
  await runBuilt(['run', `test/e2e/skewed-stores.ts#${name}`, '--until-end', '--data', folder]);
  const asked = ['features', 'audit', view, '--table', table, '--predictions', predictions, '--data', folder, '--json'];
  const { code, out } = await startBuilt(asked).ended;
  const found = JSON.parse(out);
  expect(found).toMatchObject({ predictions: FLIGHTS, missing: 0, stale: 0 });
  expect(found.different).toBeGreaterThanOrEqual(least);
  expect(found.different).toBeLessThanOrEqual(most);
  expect(found.equal + found.different).toBe(FLIGHTS);
  expect(found.samples[0]).toMatchObject({ kind: 'different' });
  expect(code).toBe(1);
});

it('a training set has them row for row', async () => {
  const output = join(folder, 'train.parquet');
  const labels = `SELECT p.entity, p.time, p.digest AS served, a.delayMinutes >= 15 AS late
    FROM (${predictions}) p JOIN arrivals a ON toString(a.flightId) = toString(p.entity)`;
  const out = await runBuilt([
    'features',
    'export',
    view,
    ...store,
    '--labels',
    labels,
    '--output',
    output,
    '--data',
    folder,
    '--json',
  ]);
  const rows = JSON.parse(out).rows as number;
  expect(JSON.parse(out)).toMatchObject({ file: output, withoutFeatures: 0 });
  expect(rows).toBeGreaterThan(FLIGHTS * 0.95);
  const sql = `SELECT count() AS rows, countIf(t.delayAtOrigin = f.delayAtOrigin AND t.hashed = f.hashed AND t.served = f.digest) AS same
    FROM file('${output}', Parquet) t JOIN flight_features f ON f.entity = t.entity`;
  expect(JSON.parse(await runBuilt(['query', sql, '--write', '--data', folder, '--json']))).toEqual({
    rows: [{ rows, same: rows }],
  });
});
