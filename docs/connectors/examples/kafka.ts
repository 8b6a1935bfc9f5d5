import { filter, joinTable, json, seconds, table, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';

interface Order {
  readonly id: string;
  readonly customer: string;
  readonly currency: string;
  readonly amount: number;
  readonly at: number;
}
interface Customer {
  readonly tier: 'gold' | 'plain';
}
interface Rate {
  readonly perEuro: number;
}

/** Joins orders with two tables: a co-partitioned one, and a small global one that every task reads completely. */
export const example = topology('orders', { deadLetters: kafka.deadLetterSink({ topic: 'orders.dead' }) }, (t) => {
  const customers = t
    .source('customers', kafka.tableSource({ topic: 'customers.v1', schema: json<Customer>() }))
    .via('customer', table({ keysMax: 1_000_000 }));
  const rates = t
    .source('rates', kafka.globalTableSource({ topic: 'rates.v1', schema: json<Rate>(), idleTimeout: seconds(1) }))
    .via('rate', table({ keysMax: 200 }));
  const orders = t
    .source('orders', kafka.source({ topic: 'orders.v1', schema: json<Order>(), eventTime: (order) => order.at }))
    .via(
      'paid',
      filter((order) => order.amount > 0),
    )
    .via(
      'in-euro',
      { table: rates },
      joinTable({
        key: (order) => order.currency,
        combine: (order, rate) => ({ ...order, euro: order.amount / rate.perEuro }),
        keysMax: 200,
        pendingMax: 10_000,
      }),
    )
    .via(
      'tiered',
      { table: customers },
      joinTable({
        key: (order) => order.customer,
        combine: (order, customer) => ({ ...order, tier: customer.tier }),
        keysMax: 1_000_000,
        pendingMax: 10_000,
      }),
    );
  orders.to(
    'tiered-orders',
    kafka.sink({
      topic: 'orders.tiered.v1',
      schema: json(),
      key: (order) => order.customer,
      compression: 'lz4',
    }),
  );
  // The changes of a customer, written with the customer as the key.
  customers.to('known', kafka.upsertSink({ topic: 'customers.known.v1', schema: json<Customer>() }));
});

export const records = {
  customers: [{ key: 'ann', value: { tier: 'gold' } }],
  rates: [{ key: 'CHF', value: { perEuro: 0.95 } }],
  orders: [
    { id: 'a', customer: 'ann', currency: 'CHF', amount: 19, at: 1_000 },
    { id: 'b', customer: 'ann', currency: 'CHF', amount: 0, at: 2_000 },
    { id: 'c', customer: 'ann', currency: 'CHF', amount: 0, at: 3_000 },
  ],
};

/* out
tiered-orders  {"id": "a", "customer": "ann", "currency": "CHF", "amount": 19, "at": 1000, "euro": 20, "tier": "gold"}
known  {"key": "ann", "before": null, "after": {"tier": "gold"}}
*/
