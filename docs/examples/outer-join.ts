import { hours, minutes, outerJoin, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Order {
  readonly at: number;
  readonly id: string;
}
interface Payment {
  readonly at: number;
  readonly order: string;
}

/** Orders and payments, together or alone. */
export const example = topology('outer-join', { deadLetters }, (t) => {
  const payments = t.source('payments', topic<Payment>('payments'));
  t.source('orders', topic<Order>('orders'))
    .via(
      'paid',
      { right: payments },
      outerJoin({
        keys: { left: ({ id }) => id, right: ({ order }) => order },
        within: { before: minutes(0), after: hours(1) },
        combine: (order, payment) => ({ order: order?.id ?? null, paidAt: payment?.at ?? null }),
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
out  {"order": "a", "paidAt": 30}
out  {"order": null, "paidAt": 40}
out  {"order": "b", "paidAt": null}
out  {"order": null, "paidAt": 5000}
*/
