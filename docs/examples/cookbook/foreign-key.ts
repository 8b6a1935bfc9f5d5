import { joinTable, json, table, topology } from 'millrace';
import { compacted, deadLetters, out, topic } from '../io.js';

interface Order {
  readonly at: number;
  readonly id: string;
  readonly customer: string;
}
interface Customer {
  readonly at: number;
  readonly city: string;
}

/** Orders are keyed by their id, customers by theirs: a repartition brings an order to the task that has its customer. */
export const example = topology('foreign-key', { deadLetters }, (t) => {
  const customers = t
    .source('customers', compacted<Customer>('customers'))
    .via('customer', table({ keysMax: 100_000 }));
  t.source('orders', topic<Order>('orders'))
    .repartition('by-customer', { key: ({ customer }) => customer, schema: json<Order>() })
    .via(
      'with-city',
      { table: customers },
      joinTable({
        key: ({ customer }) => customer,
        combine: ({ id }, { city }) => ({ id, city }),
        keysMax: 100_000,
        pendingMax: 10_000,
      }),
    )
    .to('out', out());
});

export const records = {
  customers: [
    { key: 'ann', value: { at: 0, city: 'Rome' } },
    { key: 'bob', value: { at: 0, city: 'Oslo' } },
  ],
  orders: [
    { at: 10, id: 'o1', customer: 'bob' },
    { at: 20, id: 'o2', customer: 'ann' },
  ],
};

/* out
out  {"id": "o1", "city": "Oslo"}
out  {"id": "o2", "city": "Rome"}
*/
