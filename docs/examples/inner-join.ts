import { hours, innerJoin, minutes, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Order {
  readonly at: number;
  readonly id: string;
}
interface Payment {
  readonly at: number;
  readonly order: string;
}

/** Orders with a payment within the hour. */
export const example = topology('inner-join', { deadLetters }, (t) => {
  const payments = t.source('payments', topic<Payment>('payments'));
  t.source('orders', topic<Order>('orders'))
    .via(
      'paid',
      { right: payments },
      innerJoin({
        keys: { left: ({ id }) => id, right: ({ order }) => order },
        within: { before: minutes(0), after: hours(1) },
        combine: (order, payment) => ({ id: order.id, paidAfter: payment.at - order.at }),
        entriesMax: 10_000,
      }),
    )
    .to('out', out());
});

export const records = {
  orders: [
    { at: 0, id: 'a' },
    { at: 10, id: 'b' },
  ],
  payments: [
    { at: 30, order: 'a' },
    { at: 40, order: 'z' },
    { at: 5_000, order: 'b' }, // too long after its order
  ],
};

/* out
out  {"id": "a", "paidAfter": 30}
*/
