import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { joinTable, json, minutes, table, topology } from '../../src/index.js';
import { TopologyTest } from '../../src/testing.js';

interface Order {
  readonly id: number;
  readonly currency: string;
  readonly at: number;
}
interface Rate {
  readonly euro: number;
  readonly at: number;
}

const shop = topology('shop', { deadLetters: kafka.deadLetterSink({ topic: 'shop.dead' }) }, (t) => {
  const rates = t
    .source(
      'rates',
      kafka.globalTableSource({ topic: 'rates', schema: json<Rate>(), eventTime: (r) => r.at, idleTimeout: 'never' }),
    )
    .via('rate', table({ keysMax: 100 }));
  t.source(
    'orders',
    kafka.source({ topic: 'orders', schema: json<Order>(), eventTime: (o) => o.at, outOfOrdernessMax: minutes(1) }),
  )
    .via(
      'in-euro',
      { table: rates },
      joinTable({
        key: ({ currency }) => currency,
        combine: ({ id }, { euro }) => `${id}: ${euro}`,
        keysMax: 100,
        pendingMax: 100,
      }),
    )
    .to('out', kafka.sink({ topic: 'out', schema: json<string>() }));
});

const at = (minute: number) => minute * 60_000;
const usd = (euro: number, minute: number) => ({ key: 'usd', value: { euro, at: at(minute) } });
const gbp = (euro: number, minute: number) => ({ key: 'gbp', value: { euro, at: at(minute) } });

describe('a global table', () => {
  it('is there as a whole in every task, wherever its rows lie, as it was at the time of each record', async () => {
    const test = new TopologyTest(shop, { partitions: 3 });
    await test.pipe('rates', [usd(1, 0), usd(2, 10)], 2);
    await test.pipe('rates', [gbp(5, 1)], 0);
    for (const partition of [0, 1, 2])
      await test.pipe(
        'orders',
        [
          { id: partition, currency: 'usd', at: at(5) },
          { id: 10 + partition, currency: 'gbp', at: at(6) },
          { id: 20 + partition, currency: 'usd', at: at(12) },
        ],
        partition,
      );
    await test.finish();
    const expected = [0, 1, 2].flatMap((p) => [`${p}: 1`, `${10 + p}: 5`, `${20 + p}: 2`]);
    expect([...(test.output('out') as string[])].sort()).toEqual(expected.sort());
    await test.close();
  });

  it('is not read again after a restart: what each task has of it is in its checkpoint', async () => {
    const test = new TopologyTest(shop, { partitions: 2 });
    await test.pipe('rates', [usd(1, 0)], 1);
    for (const partition of [0, 1]) await test.pipe('orders', [{ id: 1, currency: 'usd', at: at(1) }], partition);
    await test.run();
    expect(test.counter('rates', 'read')).toBe(2);
    await test.pipe('rates', [usd(3, 2)], 1);
    for (const partition of [0, 1]) await test.pipe('orders', [{ id: 2, currency: 'usd', at: at(3) }], partition);
    await test.finish();
    expect(test.counter('rates', 'read')).toBe(4);
    expect([...(test.output('out') as string[])].sort()).toEqual(['1: 1', '1: 1', '2: 3', '2: 3']);
    await test.close();
  });

  it('has what cannot be read in the dead letters once, not once a task', async () => {
    const test = new TopologyTest(shop, { partitions: 3 });
    test.pipeRaw('rates', [Buffer.from('no json'), null], 1);
    await test.pipe('orders', [{ id: 1, currency: 'usd', at: at(1) }]);
    await test.finish();
    expect(test.deadLetters().map(({ reason, step }) => [step, reason])).toEqual([
      ['rates', 'empty-key'],
      ['rates', 'empty-key'],
    ]);
    await test.close();
  });
});
