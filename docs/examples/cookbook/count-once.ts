import { days, dedupe, hours, topology, window } from 'millrace';
import { count, sum, tumbling } from 'millrace/window';
import { deadLetters, out, topic } from '../io.js';

interface Payment {
  readonly at: number;
  readonly id: string;
  readonly amount: number;
}

/** Payments and their sum by day, though a sender repeats some. */
export const example = topology('count-once', { deadLetters }, (t) => {
  t.source('payments', topic<Payment>('payments'))
    .via('once', dedupe({ key: ({ id }) => id, retention: hours(48), keysMax: 1_000_000 }))
    .via(
      'by-day',
      window({
        key: () => 'all',
        window: tumbling(days(1)),
        aggregate: { payments: count(), amount: sum(({ amount }) => amount) },
        keysMax: 1,
      }),
    )
    .to('out', out());
});

export const records = {
  payments: [
    { at: 0, id: 'p1', amount: 5 },
    { at: 10, id: 'p2', amount: 7 },
    { at: 20, id: 'p1', amount: 5 }, // again
  ],
};

/* out
out  {"key": "all", "startMs": 0, "endMs": 86400000, "payments": 2, "amount": 12}
*/
