import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clickhouse } from '../../connectors/clickhouse/index.js';
import type { ClickHouse } from '../../connectors/clickhouse/open.js';
import { kafka } from '../../connectors/kafka/index.js';
import { hours, minutes } from '../../src/core/index.js';
import { audit } from '../../src/feature-store/audit.js';
import { backfill } from '../../src/feature-store/backfill.js';
import { exportTrainingSet } from '../../src/feature-store/training-set.js';
import { featureView, hashed, numeric, offlineColumns, rolling, vectorDigest } from '../../src/ml/features/index.js';
import { featureRows, featurize, map } from '../../src/operators/index.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../src/profiles/profiles.js';
import { json } from '../../src/schema/index.js';
import { type Topology, topology } from '../../src/topology/index.js';
import { runToEnd } from '../cli/operations.js';
import { tablesOf } from '../profiles/tables.js';
import { generator } from '../random.js';

interface Order {
  readonly id: number;
  readonly customer: string;
  readonly amount: number;
  readonly at: number;
}
interface Paid {
  readonly id: number;
  readonly late: number;
  readonly at: number;
}

const view = featureView({
  name: 'customers',
  version: 1,
  hashBits: 8,
  entity: { name: 'customer', key: (order: Order) => order.customer },
  ttl: hours(30),
  owner: 'credit',
  columns: { customer: (o: Order) => o.customer, amount: (o: Order) => o.amount },
  outcome: {
    key: (o: Order) => o.id,
    outcomeKey: (p: Paid) => p.id,
    values: { late: (p: Paid) => p.late },
    wait: hours(24),
    pendingMax: 1_000,
  },
  features: {
    amount: numeric('amount', { scale: 37 }),
    lateOfLate: rolling({ by: 'customer', value: 'late', halfLife: minutes(10), prior: 0.3 }),
    customerIs: hashed('customer'),
  },
});

/** What the first version of the topology knows: nothing of what became of orders. */
const plain = featureView({
  name: 'orders',
  version: 1,
  entity: { name: 'customer', key: (order: Order) => order.customer },
  columns: { amount: (o: Order) => o.amount },
  features: { amount: numeric('amount', { scale: 37 }) },
});

const inputs = (name: string) => ({
  orders: kafka.source({ topic: `${name}.orders`, schema: json<Order>(), eventTime: (o) => o.at }),
  paid: kafka.source({ topic: `${name}.paid`, schema: json<Paid>(), eventTime: (p) => p.at }),
});
const log = { entity: 'String', time: 'DateTime64(3)', digest: 'String', orderId: 'UInt32' } as const;

const withOutcomes = (name: string, input = name): Topology =>
  topology(name, { deadLetters: kafka.deadLetterSink({ topic: `${name}.dead` }) }, (t) => {
    const { orders, paid } = inputs(input);
    const outcomes = t.source('paid', paid);
    const featurized = t.source('orders', orders).via('features', { outcomes }, featurize(view));
    featurized.via('rows', featureRows(view)).to(
      'offline',
      clickhouse.tableSink({
        table: `${name}_features`,
        columns: offlineColumns(view),
        orderBy: ['entity', 'eventTime'],
        insertedAt: 'processedAt',
      }),
    );
    featurized
      .via(
        'log',
        map((o) => ({ entity: o.customer, time: o.at, digest: vectorDigest(o.features), orderId: o.id })),
      )
      .to('predictions', clickhouse.tableSink({ table: `${name}_predictions`, columns: log }));
  });

const withoutOutcomes = (name: string): Topology =>
  topology(name, { deadLetters: kafka.deadLetterSink({ topic: `${name}.dead` }) }, (t) => {
    const { orders, paid } = inputs(name);
    t.source('paid', paid).to('paid-log', clickhouse.tableSink({ table: `${name}_paid`, columns: { id: 'UInt32' } }));
    t.source('orders', orders)
      .via('plain', featurize(plain))
      .to('log', clickhouse.tableSink({ table: `${name}_log`, columns: { id: 'UInt32' } }));
  });

const ORDERS = 400;

/** Orders of few customers, a minute apart; each is paid some time later. */
function drawn(): { orders: Order[]; paid: Paid[] } {
  const next = generator(5);
  const random = { int: (below: number) => Math.floor(next() * below) };
  const orders = Array.from({ length: ORDERS }, (_, id): Order => {
    return { id, customer: `c${random.int(7)}`, amount: random.int(10_000) / 7, at: id * 60_000 };
  });
  const paid = orders.map(
    ({ id, at }): Paid => ({ id, late: random.int(2), at: at + 30_000 + random.int(60) * 60_000 }),
  );
  return { orders, paid: paid.sort((a, b) => a.at - b.at) };
}

let profile: OpenProfile;
let tables: ClickHouse;
let data: string;
beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'millrace-features-'));
  profile = await openProfile(resolveConfig({ flags: { profile: 'embedded', data } }));
  tables = await tablesOf(profile);
});
afterAll(async () => {
  await profile.close();
  rmSync(data, { recursive: true, force: true });
});

async function feed(name: string, from = 0, to = 1): Promise<void> {
  const { orders, paid } = drawn();
  const producer = profile.producer();
  for (const [topic, values] of [
    ['orders', orders],
    ['paid', paid],
  ] as const) {
    if (from === 0) await producer.createTopic(`${name}.${topic}`, 1);
    const records = values
      .slice(Math.floor(from * ORDERS), Math.floor(to * ORDERS))
      .map((value) => ({ key: null, value: Buffer.from(JSON.stringify(value)), timestampMs: value.at }));
    await producer.append(`${name}.${topic}`, 0, records);
  }
  await producer.close();
}

const rowsOf = (table: string) =>
  tables.query<Record<string, unknown>>(`SELECT * EXCEPT processedAt FROM ${table} ORDER BY eventTime, entity`);

const predictionsOf = (table: string, digest = 'digest') => `SELECT entity, time, ${digest} AS digest FROM ${table}`;

describe('the feature store', () => {
  it('exports, for each label, the features that the stream computed at that moment', async () => {
    await feed('shop');
    await runToEnd(profile, withOutcomes('shop'));
    const output = join(data, 'train.parquet');
    const done = await exportTrainingSet(tables, {
      view,
      table: 'shop_features',
      labels: 'SELECT entity, time, orderId, digest AS served FROM shop_predictions',
      output,
    });
    expect(done).toEqual({ file: output, rows: ORDERS, withoutFeatures: 0 });
    const exported = await tables.query<Record<string, unknown>>(
      `SELECT orderId, amount, lateOfLate, hashed FROM file('${output}', Parquet) ORDER BY orderId`,
    );
    const stored = await rowsOf('shop_features');
    expect(exported).toEqual(
      stored.map(({ amount, lateOfLate, hashed: at }, orderId) => ({ orderId, amount, lateOfLate, hashed: at })),
    );
    expect(new Set(stored.map(({ lateOfLate }) => lateOfLate)).size).toBeGreaterThan(ORDERS / 2);
  });

  it('knows nothing later than the label, and nothing older than the ttl', async () => {
    // A minute before the third order of a customer the second is the newest; 31 hours after the last there is none.
    const of = "SELECT entity, time FROM shop_predictions WHERE entity = 'c1' ORDER BY time";
    const before = await exportTrainingSet(tables, {
      view,
      table: 'shop_features',
      labels: `SELECT entity, time - 1 AS time FROM (${of}) LIMIT 1 OFFSET 2`,
      output: join(data, 'before.parquet'),
    });
    expect(before).toMatchObject({ rows: 1, withoutFeatures: 0 });
    const [[second], [got]] = await Promise.all([
      tables.query<{ time: string }>(`${of} LIMIT 1 OFFSET 1`),
      tables.query<{ time: string }>(`SELECT toString(featureTime) AS time FROM file('${before.file}', Parquet)`),
    ]);
    expect(got?.time).toBe(second?.time);
    const after = await exportTrainingSet(tables, {
      view,
      table: 'shop_features',
      labels: `SELECT entity, max(time) + INTERVAL 31 HOUR AS time FROM (${of}) GROUP BY entity`,
      output: join(data, 'after.parquet'),
    });
    expect(after).toMatchObject({ rows: 1, withoutFeatures: 1 });
  });

  it('finds no skew where there is none, and every skew that there is', async () => {
    const options = { view, table: 'shop_features', predictions: predictionsOf('shop_predictions') };
    expect(await audit(tables, options)).toMatchObject({ predictions: ORDERS, equal: ORDERS, samples: [] });

    // Another rounding on the way into the store.
    await tables.command(`
      CREATE TABLE rounded ENGINE = MergeTree ORDER BY entity AS
      SELECT * REPLACE (toFloat32(round(lateOfLate, 3)) AS lateOfLate) FROM shop_features`);
    const rounded = await audit(tables, { ...options, table: 'rounded' });
    expect(rounded.different).toBeGreaterThan(ORDERS / 2);
    expect(rounded.samples[0]).toMatchObject({ kind: 'different' });

    // A row that was lost, and one that was corrected after it had been served.
    await tables.command(`
      CREATE TABLE corrected ENGINE = MergeTree ORDER BY entity AS
      SELECT * REPLACE (if(entity = 'c2' AND eventTime = (SELECT max(eventTime) FROM shop_features WHERE entity = 'c2'), amount + 1, amount) AS amount)
      FROM shop_features
      WHERE NOT (entity = 'c3' AND eventTime = (SELECT min(eventTime) FROM shop_features WHERE entity = 'c3'))`);
    expect(await audit(tables, { ...options, table: 'corrected' })).toMatchObject({
      equal: ORDERS - 2,
      different: 1,
      missing: 1,
      stale: 0,
    });
  });

  it('counts predictions without an entity, a time or a digest as missing or different, never as none', async () => {
    const without = (columns: string) =>
      audit(tables, {
        view,
        table: 'shop_features',
        predictions: `SELECT ${columns} FROM shop_predictions`,
      });
    expect(await without('if(orderId % 2 = 0, NULL, entity) AS entity, time, digest')).toMatchObject({
      predictions: ORDERS,
      equal: ORDERS / 2,
      missing: ORDERS / 2,
      samples: expect.arrayContaining([expect.objectContaining({ kind: 'missing', entity: null })]),
    });
    expect(await without('entity, if(orderId % 4 = 0, NULL, time) AS time, digest')).toMatchObject({
      predictions: ORDERS,
      missing: ORDERS / 4,
    });
    expect(await without('entity, time, if(orderId % 4 = 0, NULL, digest) AS digest')).toMatchObject({
      predictions: ORDERS,
      different: ORDERS / 4,
    });
  });

  it('refuses times that are numbers: nobody knows whether they are seconds or milliseconds', async () => {
    for (const time of ['toUnixTimestamp64Milli(time)', 'toFloat64(toUnixTimestamp(time))', "'2024'"]) {
      const rows = `SELECT entity, ${time} AS time, digest, orderId FROM shop_predictions`;
      const output = join(data, 'numbers.parquet');
      const refused = expect.objectContaining({ code: 'config', message: expect.stringContaining('time is') });
      await expect(exportTrainingSet(tables, { view, table: 'shop_features', labels: rows, output })).rejects.toEqual(
        refused,
      );
      await expect(audit(tables, { view, table: 'shop_features', predictions: rows })).rejects.toEqual(refused);
    }
    const rows = 'SELECT entity, digest, orderId FROM shop_predictions';
    await expect(audit(tables, { view, table: 'shop_features', predictions: rows })).rejects.toMatchObject({
      message: 'the query has no column time',
    });
  });

  it('backfills a new step over history and joins the stream without a gap or a double count', async () => {
    // What would be, had the step been there from the beginning.
    for (const part of [
      [0, 0.6],
      [0.6, 1],
    ] as const) {
      await feed('twin', ...part);
      await runToEnd(profile, withOutcomes('twin'));
    }
    await feed('late', 0, 0.6);
    await runToEnd(profile, withoutOutcomes('late'));
    const live = withOutcomes('late');
    const done = await backfill(profile, live, { step: 'features', onWarning: () => {} });
    expect(done).toMatchObject({
      step: 'features',
      sinks: ['offline'],
      records: ORDERS * 1.2,
      joins: { 0: { orders: ORDERS * 0.6, paid: ORDERS * 0.6 } },
    });
    await feed('late', 0.6, 1);
    await runToEnd(profile, live);
    expect(await rowsOf('late_features')).toEqual(await rowsOf('twin_features'));
    // Predictions begin where the stream goes on, and their features are those of the whole history.
    const predictions = predictionsOf('late_predictions');
    expect(await audit(tables, { view, table: 'twin_features', predictions })).toMatchObject({
      predictions: ORDERS * 0.4,
      equal: ORDERS * 0.4,
    });
  });

  it('refuses to backfill what has nothing to join', async () => {
    const fresh = withOutcomes('fresh', 'shop');
    const ask = (step: string) => backfill(profile, fresh, { step, onWarning: () => {} });
    await expect(ask('features')).rejects.toThrow(/has not run yet/);
    await expect(ask('rows')).rejects.toThrow(/no state/);
    await expect(ask('featuers')).rejects.toThrow(/no such step/);
  });
});
