import { expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { innerJoin, joinTable, json, map, minutes, table, topology } from '../../src/index.js';
import { TopologyTest } from '../../src/testing.js';

interface Order {
  readonly id: number;
  readonly currency: string;
  readonly amount: number;
  readonly at: number;
}
interface Rate {
  readonly euro: number;
  readonly at: number;
}
interface Paid {
  readonly id: number;
  readonly at: number;
}

const shop = topology('shop', { deadLetters: kafka.deadLetterSink({ topic: 'shop.dead' }) }, (t) => {
  const rates = t
    .source('rates', kafka.tableSource({ topic: 'rates', schema: json<Rate>(), eventTime: (rate) => rate.at }))
    .via('rate', table({ keysMax: 100 }));
  const paid = t.source('paid', kafka.source({ topic: 'paid', schema: json<Paid>(), eventTime: (p) => p.at }));
  t.source(
    'orders',
    kafka.source({ topic: 'orders', schema: json<Order>(), eventTime: (o) => o.at, outOfOrdernessMax: minutes(5) }),
  )
    .via(
      'in-euro',
      { table: rates },
      joinTable({
        key: (order) => order.currency,
        combine: (order, rate) => ({ id: order.id, euro: order.amount * rate.euro }),
        keysMax: 100,
        pendingMax: 1_000,
      }),
    )
    .via(
      'settled',
      { right: paid },
      innerJoin({
        keys: { left: (order) => order.id, right: (payment) => payment.id },
        within: { before: minutes(0), after: minutes(60) },
        combine: (order, payment) => ({ ...order, paidAt: payment.at }),
        entriesMax: 1_000,
      }),
    )
    .via(
      'as-text',
      map(({ id, euro, paidAt }) => `${id}: ${euro} at ${paidAt / 60_000}`),
    )
    .to('out', kafka.sink({ topic: 'out', schema: json<string>() }));
});

const at = (minute: number) => minute * 60_000;

it('a topology joins a stream with a table from a compacted topic, tombstones included, and with another stream', async () => {
  const test = new TopologyTest(shop);
  await test.pipe('rates', [
    { key: 'usd', value: { euro: 0.5, at: at(0) } },
    { key: 'gbp', value: { euro: 2, at: at(0) } },
    { key: 'usd', value: { euro: 0.75, at: at(10) } },
  ]);
  await test.pipe('orders', [
    { id: 1, currency: 'usd', amount: 8, at: at(12) },
    { id: 2, currency: 'usd', amount: 8, at: at(9) }, // out of order: the rate of its own time holds
    { id: 3, currency: 'yen', amount: 8, at: at(13) },
    { id: 4, currency: 'gbp', amount: 8, at: at(14) },
  ]);
  await test.pipe('paid', [
    { id: 2, at: at(20) },
    { id: 1, at: at(21) },
    { id: 4, at: at(300) }, // after the hour
  ]);
  await test.run();
  await test.finish();
  expect(test.output('out')).toEqual(['2: 4 at 20', '1: 6 at 21']);
  expect(test.counter('in-euro', 'unmatched')).toBe(1);
  expect(test.deadLetters()).toEqual([]);
  await test.close();
});

it('a tombstone takes the row away, and a record without a key is a dead letter', async () => {
  const test = new TopologyTest(shop);
  await test.pipe('rates', [
    { key: 'usd', value: { euro: 0.5, at: at(0) } },
    { key: 'usd', value: null },
  ]);
  test.pipeRaw('rates', [new TextEncoder().encode('{"euro":1,"at":0}')]);
  await test.run();
  expect(test.counter('rate', 'out')).toBe(2);
  expect(test.deadLetters()).toMatchObject([{ reason: 'empty-key', step: 'rates', offset: 2 }]);
  await test.close();
});
