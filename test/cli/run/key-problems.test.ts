import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import { count } from '../../../src/aggregates/index.js';
import { profileProblems } from '../../../src/cli/run/profile-problems.js';
import { hours, seconds } from '../../../src/core/index.js';
import { partitionOf } from '../../../src/core/partition.js';
import { featureView, logisticRegression, logLoss, rolling, sgd } from '../../../src/ml.js';
import {
  estimatePerformance,
  evaluate,
  expectations,
  featurize,
  innerJoin,
  joinTable,
  learn,
  table,
  validate,
  window,
} from '../../../src/operators/index.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../../src/profiles/profiles.js';
import { json } from '../../../src/schema/index.js';
import { topology } from '../../../src/topology/index.js';
import { tumbling } from '../../../src/window.js';

interface Order {
  readonly id: string;
  readonly customer: string;
}
interface Customer {
  readonly customer: string;
}

const PARTITIONS = 3;
const byMurmur = (key: string) => partitionOf(Buffer.from(key), PARTITIONS);
/** Another client's rule. */
const byLength = (key: string) => (key.length + key.charCodeAt(key.length - 1)) % PARTITIONS;

const data = mkdtempSync(join(tmpdir(), 'millrace-keys-'));
let profile: OpenProfile;
beforeAll(async () => {
  profile = await openProfile(resolveConfig({ flags: { data }, env: {} }));
  const producer = profile.producer();
  const fill = async (topic: string, key: keyof Order, partition: (key: string) => number, records = 60) => {
    await producer.createTopic(topic, PARTITIONS);
    for (let n = 0; n < records; n++) {
      const value = { id: `o${n}`, customer: `c${n % 20}` };
      const bytes = { key: Buffer.from(value[key]), value: Buffer.from(JSON.stringify(value)), timestampMs: n };
      await producer.append(topic, partition(value[key]), [bytes]);
    }
  };
  await fill('orders', 'id', byMurmur);
  await fill('orders-again', 'id', byMurmur);
  await fill('orders-of-customers', 'customer', byMurmur);
  await fill('customers-orders', 'customer', byMurmur);
  await fill('orders-elsewhere', 'customer', byLength);
  await fill('customers', 'customer', byMurmur);
  await fill('customers-elsewhere', 'customer', byLength);
  await fill('few', 'id', byMurmur, 9);
});
afterAll(async () => {
  await profile.close();
  rmSync(data, { recursive: true, force: true });
});

interface Flow {
  readonly orders: string;
  readonly customers?: string;
  readonly repartitioned?: boolean;
  readonly global?: boolean;
}
const joined = ({ orders: topic, customers = 'customers', repartitioned = false, global = false }: Flow) =>
  topology('joined', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    const named = { topic: customers, schema: json<Customer>() };
    const rows = t.source(
      'customers',
      global ? kafka.globalTableSource({ ...named, idleTimeout: seconds(1) }) : kafka.tableSource(named),
    );
    const orders = t
      .source('orders', kafka.source({ topic, schema: json<Order>() }))
      .via('valid', validate(expectations<Order>().notNull('id')));
    const keyed = repartitioned
      ? orders.repartition('by-customer', { key: ({ customer }) => customer, schema: json<Order>() })
      : orders;
    keyed
      .via(
        'with-customer',
        { table: rows.via('customer', table({ keysMax: 100 })) },
        joinTable({
          key: ({ customer }) => customer,
          combine: (order, customer) => ({ ...order, ...customer }),
          keysMax: 100,
          pendingMax: 100,
        }),
      )
      .to('out', kafka.sink({ topic: 'out', schema: json() }));
  });
const problemsOf = async (flow: Flow) =>
  (await profileProblems(joined(flow), profile)).map(({ where, message, hint }) => `${where}: ${message}: ${hint}`);

it('finds nothing where equal keys meet, whatever brings them together', async () => {
  expect(await problemsOf({ orders: 'orders-of-customers' })).toEqual([]);
  expect(await problemsOf({ orders: 'orders-elsewhere', customers: 'customers-elsewhere' })).toEqual([]);
  expect(await problemsOf({ orders: 'orders', repartitioned: true })).toEqual([]);
  expect(await problemsOf({ orders: 'orders-of-customers', customers: 'customers-elsewhere', global: true })).toEqual(
    [],
  );
  expect(await problemsOf({ orders: 'orders', global: true })).toEqual([]);
  expect(await problemsOf({ orders: 'few' })).toEqual([]);
});

it('names a join by another key than that of the topic, and the repartition', async () => {
  const [problem, ...others] = await problemsOf({ orders: 'orders' });
  expect(others).toEqual([]);
  expect(problem).toMatch(
    /^with-customer: equal keys of this joinTable lie in several partitions of orders, .*\.repartition\(/,
  );
});

it('names a topic that a client with another partitioner wrote, if the other input has ours', async () => {
  for (const flow of [
    { orders: 'orders-of-customers', customers: 'customers-elsewhere' },
    { orders: 'orders', customers: 'customers-elsewhere', repartitioned: true },
  ])
    expect(await problemsOf(flow)).toEqual([
      expect.stringMatching(
        /^with-customer: customers-elsewhere is partitioned by another rule .*partitioner=murmur2_random/,
      ),
    ]);
});

it.each([
  ['labels by another key than the records', 'orders', 'orders-of-customers', ['orders-of-customers']],
  ['records by another key than the labels', 'orders-of-customers', 'orders', ['orders-of-customers']],
  ['nothing where both have the key', 'orders', 'orders-again', []],
  ['nothing where both lie by a third key', 'orders-of-customers', 'customers-orders', []],
])('finds %s, in all steps that match them', async (_, rows, labels, topics) => {
  const key = ({ id }: Order) => id;
  const wait = hours(1);
  const view = featureView({
    name: 'orders',
    version: 1,
    columns: { customer: ({ customer }: Order) => customer },
    outcome: { key, outcomeKey: key, values: { n: (_: Order) => 1 }, wait, pendingMax: 10 },
    features: { usual: rolling({ by: 'customer', value: 'n', halfLife: wait }) },
  });
  const label = { key, value: () => true };
  const flow = topology('learning', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    const schema = json<Order>();
    const orders = t.source('orders', kafka.source({ topic: rows, schema }));
    const outcomes = t.source('labels', kafka.source({ topic: labels, schema }));
    const learned = orders.via('features', { outcomes }, featurize(view)).via(
      'model',
      { labels: outcomes },
      learn(logisticRegression({ optimizer: sgd({ rate: 0.5 }) }), {
        as: 'late',
        view,
        key,
        label: { ...label, wait },
        pendingMax: 10,
      }),
    );
    const prediction = { key, value: () => 0.5 };
    learned
      .via(
        'quality',
        { labels: outcomes },
        evaluate({ prediction, label, wait, every: wait, pendingMax: 10, metrics: { loss: logLoss() } }),
      )
      .to('out', kafka.sink({ topic: 'out', schema: json() }));
    learned
      .via(
        'estimates',
        { labels: outcomes },
        estimatePerformance({ prediction, label, wait, every: wait, pendingMax: 10 }),
      )
      .to('estimated', kafka.sink({ topic: 'estimated', schema: json() }));
  });
  const found = await profileProblems(flow, profile);
  expect(found.map(({ where, message }) => [where, message])).toEqual(
    topics.flatMap((topic) =>
      [
        ['features', 'featurize'],
        ['model', 'learn'],
        ['quality', 'evaluate'],
        ['estimates', 'estimatePerformance'],
      ].map(([step, kind]) => [
        step,
        `equal keys of this ${kind} lie in several partitions of ${topic}, which has another key`,
      ]),
    ),
  );
  for (const { hint } of found) expect(hint).not.toContain('globalTableSource');
});

it('looks at windows and at joins of two streams as well', async () => {
  const flow = topology('flow', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    const orders = t.source('orders', kafka.source({ topic: 'orders', schema: json<Order>() }));
    const others = t.source('others', kafka.source({ topic: 'orders-of-customers', schema: json<Order>() }));
    orders
      .via(
        'hourly',
        window({
          key: ({ customer }) => customer,
          window: tumbling(hours(1)),
          aggregate: { orders: count() },
          keysMax: 100,
        }),
      )
      .to('out', kafka.sink({ topic: 'out', schema: json() }));
    orders
      .via(
        'both',
        { right: others },
        innerJoin({
          keys: { left: ({ customer }) => customer, right: ({ customer }) => customer },
          within: { before: seconds(1), after: seconds(1) },
          combine: (left) => left,
          entriesMax: 100,
        }),
      )
      .to('pairs', kafka.sink({ topic: 'pairs', schema: json() }));
  });
  const found = await profileProblems(flow, profile);
  expect(found.map(({ where, message }) => [where, message])).toEqual([
    ['hourly', 'equal keys of this window lie in several partitions of orders, which has another key'],
    ['both', 'equal keys of this innerJoin lie in several partitions of orders, which has another key'],
  ]);
});
