import { type DebeziumEvent, filter, fromDebezium, map, table, topology } from 'millrace';
import { deadLetters, out, type Timed, topic } from '../io.js';

interface Customer {
  readonly id: number;
  readonly city: string;
}

/** Customers whose city changed, from the changes of a database. */
export const example = topology('moved-customers', { deadLetters }, (t) => {
  t.source('customers', topic<DebeziumEvent<Customer> & Timed>('shop.public.customers'))
    .via('rows', fromDebezium<Customer>({ key: ({ id }) => String(id) }))
    .via('customer', table({ keysMax: 100_000 }))
    .via(
      'moved',
      filter(({ before, after }) => before !== null && after !== null && before.city !== after.city),
    )
    .via(
      'shown',
      map(({ key, before, after }) => ({ customer: key, from: before?.city, to: after?.city })),
    )
    .to('out', out());
});

export const records = {
  customers: [
    { at: 0, op: 'c', before: null, after: { id: 1, city: 'Rome' } },
    { at: 1, op: 'u', before: { id: 1, city: 'Rome' }, after: { id: 1, city: 'Oslo' } },
    { at: 2, op: 'd', before: { id: 1, city: 'Oslo' }, after: null },
  ],
};

/* out
out  {"customer": "1", "from": "Rome", "to": "Oslo"}
*/
