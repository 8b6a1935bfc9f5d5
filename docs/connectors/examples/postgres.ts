import { json, lookup, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { postgres } from 'millrace/connectors/postgres';

interface Order {
  readonly id: string;
  readonly customer: string;
  readonly amount: number;
  readonly at: number;
}

/** Adds customers from one table to orders, and writes the newest row of each order to another table. */
export const example = topology('shop', { deadLetters: kafka.deadLetterSink({ topic: 'shop.dead' }) }, (t) => {
  t.source('orders', kafka.source({ topic: 'orders.v1', schema: json<Order>(), eventTime: (order) => order.at }))
    .via(
      'customer',
      lookup({
        from: postgres.tableLookup<{ tier: string }>({ table: 'customers', key: 'id', columns: ['tier'] }),
        key: (order) => order.customer,
        as: 'known',
        onMissing: { use: { tier: 'new' } },
      }),
    )
    .to(
      'orders-table',
      postgres.tableSink({
        table: 'orders',
        columns: { id: 'text', customer: 'text', amount: 'numeric(12, 2)', at: 'timestamptz', known: 'jsonb' },
        key: ['id'],
      }),
    );
});

export const records = {
  orders: [{ id: 'a', customer: 'ann', amount: 12.5, at: 1_000 }],
};

export const lookups = { customer: (key: string) => (key === 'ann' ? { tier: 'gold' } : undefined) };

/* out
orders-table  {"id": "a", "customer": "ann", "amount": 12.5, "at": 1000, "known": {"tier": "gold"}}
*/
