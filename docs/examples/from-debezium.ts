import { type DebeziumEvent, fromDebezium, table, topology } from 'millrace';
import { deadLetters, out, type Timed, topic } from './io.js';

interface Customer {
  readonly id: number;
  readonly city: string;
}

/** Change data capture as a table. */
export const example = topology('from-debezium', { deadLetters }, (t) => {
  t.source('customers', topic<DebeziumEvent<Customer> & Timed>('shop.public.customers'))
    .via('rows', fromDebezium<Customer>({ key: ({ id }) => String(id) }))
    .via('customer', table({ keysMax: 1_000 }))
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
out  {"key": "1", "before": null, "after": {"id": 1, "city": "Rome"}}
out  {"key": "1", "before": {"id": 1, "city": "Rome"}, "after": {"id": 1, "city": "Oslo"}}
out  {"key": "1", "before": {"id": 1, "city": "Oslo"}, "after": null}
*/
