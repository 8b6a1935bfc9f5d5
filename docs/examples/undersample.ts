import { topology, undersample } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Payment {
  readonly at: number;
  readonly id: number;
  readonly fraud: boolean;
}

/** Thins the common class; the weight makes up for what was left out. */
export const example = topology('undersample', { deadLetters }, (t) => {
  t.source('payments', topic<Payment>('payments'))
    .via(
      'undersample',
      undersample({ class: ({ fraud }) => fraud, shares: { true: 1, false: 1 }, key: ({ id }) => id, as: 'weight' }),
    )
    .to('out', out());
});

export const records = { payments: Array.from({ length: 12 }, (_, id) => ({ at: id, id, fraud: id % 4 === 0 })) };

/* out
out  {"at": 0, "id": 0, "fraud": true, "weight": 1}
out  {"at": 1, "id": 1, "fraud": false, "weight": 1}
out  {"at": 2, "id": 2, "fraud": false, "weight": 2}
out  {"at": 4, "id": 4, "fraud": true, "weight": 1}
out  {"at": 5, "id": 5, "fraud": false, "weight": 2}
out  {"at": 6, "id": 6, "fraud": false, "weight": 2.5}
out  {"at": 7, "id": 7, "fraud": false, "weight": 3}
out  {"at": 8, "id": 8, "fraud": true, "weight": 1}
out  {"at": 9, "id": 9, "fraud": false, "weight": 2.3333333333333335}
out  {"at": 11, "id": 11, "fraud": false, "weight": 3}
*/
