import { expect, it } from 'vitest';
import * as shop from '../../../docs/connectors/examples/postgres.js';
import { onEmbedded, sendJson, written } from '../../docs/embedded.js';
import { PostgresServer } from './server.js';

it('the example of Postgres, on a server', async () => {
  const server = await PostgresServer.start();
  try {
    server.query(
      "CREATE TABLE customers (id text PRIMARY KEY, tier text); INSERT INTO customers VALUES ('ann', 'gold')",
    );
    await onEmbedded(
      async (profile) => {
        for (const order of shop.records.orders) await sendJson(profile, 'orders.v1', order.id, order);
        expect(await written(shop.example, profile)).toMatchObject({ 'orders-table': 1 });
      },
      { postgres: server.url },
    );
    expect(server.query("SELECT id, amount, known ->> 'tier' FROM orders")).toEqual([['a', '12.50', 'gold']]);
  } finally {
    await server.stop();
  }
}, 120_000);
