import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { millrace, startMillrace, userFolder } from '../cli/millrace.js';
import { generator } from '../random.js';
import { readEmbedded } from './embedded.js';

// The command with lookups in all three kinds of stores, on the embedded profile: a service that is slow, fails and cuts
// connections; the process is killed, told to stop, and run to the end.

const ORDERS = 600;
const CUSTOMERS = 40;
const random = generator(7);

let server: Server;
let asked = 0;
let user: ReturnType<typeof userFolder>;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked += 1;
    const sku = decodeURIComponent((request.url ?? '').split('/').at(-1) ?? '');
    const fate = random();
    if (fate < 0.03) return void response.writeHead(503, { 'retry-after': '0' }).end();
    if (fate < 0.05) return void response.destroy();
    setTimeout(() => {
      if (sku === 'sku 9') response.writeHead(404).end();
      else response.end(JSON.stringify({ price: sku.length }));
    }, 4);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  user = userFolder({
    'shop.ts': `
import { hours, json, lookup, millis, topology } from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { http } from 'millrace/connectors/http';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';

interface Customer { readonly id: number; readonly tier: string }
interface Order { readonly n: number; readonly customer: number; readonly sku: string }
export const load = topology('load', { deadLetters: kafka.deadLetterSink({ topic: 'load.dead' }) }, (t) => {
  const customers = t.source('customers', kafka.source({ topic: 'customers', schema: json<Customer>() }));
  customers.to('hashes', redis.hashSink({ key: (c) => 'customer:' + c.id, ttl: hours(1) }));
  customers.to('table', clickhouse.tableSink({ table: 'customers', columns: { id: 'UInt32', tier: 'String' }, orderBy: ['id'] }));
});
export const enrich = topology('enrich', { deadLetters: kafka.deadLetterSink({ topic: 'enrich.dead' }) }, (t) => {
  const enriched = t
    .source('orders', kafka.source({ topic: 'orders', schema: json<Order>() }))
    .via('hash', lookup({ from: redis.hashLookup(), key: (o) => 'customer:' + o.customer, as: 'hash' }))
    .via('row', lookup({ from: clickhouse.tableLookup<Customer>({ table: 'customers', key: 'id', keyType: 'UInt32', columns: ['tier'] }), key: (o) => o.customer, as: 'row' }))
    .via('price', lookup({ from: http.getLookup<{ price: number }>({ url: 'http://127.0.0.1:${port}/prices/{key}' }), key: (o) => o.sku, as: 'price', waitMax: millis(1), attemptsMax: 8, onMissing: { use: null } }));
  enriched.to('out', kafka.sink({ topic: 'out', schema: json(), key: (o) => String(o.n) }));
});
`,
  });
  const lines = (values: readonly object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
  const customers = Array.from({ length: CUSTOMERS }, (_, id) => ({ id, tier: `tier ${id % 3}` }));
  const orders = Array.from({ length: ORDERS }, (_, n) => ({ n, customer: n % CUSTOMERS, sku: `sku ${n % 200}` }));
  for (const [topic, input] of [
    ['customers', lines(customers)],
    ['orders', lines(orders)],
  ] as const) {
    const { code, err } = await millrace(['produce', topic, '--partitions', '2'], { folder: user.folder, input });
    expect(code, err).toBe(0);
  }
  const loaded = await millrace(['run', 'shop.ts#load', '--until-end'], user);
  expect(loaded.code, loaded.err).toBe(0);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  user.remove();
});

const until = async (reached: () => boolean) => {
  for (let waited = 0; !reached(); waited += 20) {
    if (waited > 60_000) throw new Error('the service is not asked');
    await sleep(20);
  }
};

it('enriches every record once, through a kill and a stop, from a service that fails now and then', async () => {
  const killed = startMillrace(['run', 'shop.ts#enrich'], user);
  await until(() => asked > 100);
  killed.process.kill('SIGKILL');
  await killed.ended;

  const before = asked;
  const stopped = startMillrace(['run', 'shop.ts#enrich'], user);
  await until(() => asked > before + 100);
  stopped.process.kill('SIGINT');
  expect((await stopped.ended).code, stopped.output()).toBe(0);

  const { code, err } = await millrace(['run', 'shop.ts#enrich', '--until-end'], user);
  expect(code, err).toBe(0);
  const { topics } = await readEmbedded(join(user.folder, '.millrace/data'));
  const out = (topics.get('out') ?? []).map(({ value }) => JSON.parse(String(value)) as { n: number });
  expect(out.sort((a, b) => a.n - b.n)).toEqual(
    Array.from({ length: ORDERS }, (_, n) => {
      const [customer, sku] = [n % CUSTOMERS, `sku ${n % 200}`];
      const tier = `tier ${customer % 3}`;
      const price = sku === 'sku 9' ? null : { price: sku.length };
      return { n, customer, sku, hash: { id: String(customer), tier }, row: { id: customer, tier }, price };
    }),
  );
  expect(topics.get('enrich.dead') ?? []).toEqual([]);
});
