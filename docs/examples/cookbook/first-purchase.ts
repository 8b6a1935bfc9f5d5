import { days, dedupe, map, topology } from 'millrace';
import { deadLetters, out, topic } from '../io.js';

interface Order {
  readonly at: number;
  readonly customer: string;
  readonly amount: number;
}

/** The first order of each customer within a year. */
export const example = topology('first-purchase', { deadLetters }, (t) => {
  t.source('orders', topic<Order>('orders'))
    .via('first', dedupe({ key: ({ customer }) => customer, retention: days(365), keysMax: 1_000_000 }))
    .via(
      'shown',
      map(({ customer, amount }) => ({ customer, first: amount })),
    )
    .to('out', out());
});

export const records = {
  orders: [
    { at: 0, customer: 'ann', amount: 20 },
    { at: 10, customer: 'bob', amount: 5 },
    { at: 20, customer: 'ann', amount: 90 },
  ],
};

/* out
out  {"customer": "ann", "first": 20}
out  {"customer": "bob", "first": 5}
*/
