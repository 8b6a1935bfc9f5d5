import { dedupe, minutes, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Payment {
  readonly at: number;
  readonly id: string;
  readonly amount: number;
}

/** Drops a payment that was seen in the ten minutes before. */
export const example = topology('dedupe', { deadLetters }, (t) => {
  t.source('payments', topic<Payment>('payments'))
    .via('once', dedupe({ key: ({ id }) => id, retention: minutes(10), keysMax: 100_000 }))
    .to('out', out());
});

export const records = {
  payments: [
    { at: 0, id: 'p1', amount: 5 },
    { at: 3, id: 'p2', amount: 8 },
    { at: 9, id: 'p1', amount: 5 },
    { at: 700, id: 'p1', amount: 5 }, // after the retention it counts as another
    { at: 701, id: '', amount: 1 },
  ],
};

/* out
out  {"at": 0, "id": "p1", "amount": 5}
out  {"at": 3, "id": "p2", "amount": 8}
out  {"at": 700, "id": "p1", "amount": 5}
dead letter  empty-key: the key is empty
*/
