import { filter, hours, leftJoin, map, minutes, topology } from 'millrace';
import { deadLetters, out, topic } from '../io.js';

interface Order {
  readonly at: number;
  readonly id: string;
}
interface Payment {
  readonly at: number;
  readonly order: string;
}

/** Orders that nobody has paid within an hour, once it is certain. */
export const example = topology('unpaid-orders', { deadLetters }, (t) => {
  const payments = t.source('payments', topic<Payment>('payments'));
  t.source('orders', topic<Order>('orders'))
    .via(
      'paid',
      { right: payments },
      leftJoin({
        keys: { left: ({ id }) => id, right: ({ order }) => order },
        within: { before: minutes(0), after: hours(1) },
        combine: (order, payment) => ({ id: order.id, paid: payment !== null }),
        entriesMax: 1_000_000,
      }),
    )
    .via(
      'unpaid',
      filter(({ paid }) => !paid),
    )
    .via(
      'reminder',
      map(({ id }) => ({ remind: id })),
    )
    .to('out', out());
});

export const records = {
  orders: [
    { at: 0, id: 'a' },
    { at: 10, id: 'b' },
  ],
  payments: [{ at: 30, order: 'a' }],
};

/* out
out  {"remind": "b"}
*/
