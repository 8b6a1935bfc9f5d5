import { expectations, minutes, topology, validate } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Order {
  readonly at: number;
  readonly customer: string | null;
  readonly amount: number;
}

const ordersAsExpected = expectations<Order>()
  .notNull('customer')
  .range('amount', 0, 1_000)
  .fresh(({ at }) => at * 1_000, minutes(5));

/** What is not as expected goes to the dead letters, with the rule that it broke. */
export const example = topology('validate', { deadLetters }, (t) => {
  t.source('orders', topic<Order>('orders'))
    .via('validate', validate(ordersAsExpected)) // from here on a customer is a string
    .to('out', out());
});

export const records = {
  orders: [
    { at: 100, customer: 'ann', amount: 20 },
    { at: 101, customer: null, amount: 20 },
    { at: 102, customer: 'bob', amount: -3 },
    { at: 10_000, customer: 'cy', amount: 1 },
    { at: 103, customer: 'dee', amount: 9 },
  ],
};

/* out
out  {"at": 100, "customer": "ann", "amount": 20}
out  {"at": 10000, "customer": "cy", "amount": 1}
dead letter  null:customer: customer is null
dead letter  range:amount: amount is -3, outside 0 to 1000
dead letter  stale: 9897000 ms old, over 300000 ms
*/
