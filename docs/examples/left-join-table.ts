import { leftJoinTable, table, topology } from 'millrace';
import { compacted, deadLetters, out, topic } from './io.js';

interface Sale {
  readonly at: number;
  readonly currency: string;
  readonly amount: number;
}
interface Rate {
  readonly at: number;
  readonly euro: number;
}

/** The same, with `null` where there was no rate. */
export const example = topology('left-join-table', { deadLetters }, (t) => {
  const rates = t.source('rates', compacted<Rate>('rates')).via('rate', table({ keysMax: 200 }));
  t.source('sales', topic<Sale>('sales'))
    .via(
      'in-euro',
      { table: rates },
      leftJoinTable({
        key: ({ currency }) => currency,
        combine: ({ at, amount }, rate) => ({ at, euro: rate && amount * rate.euro }),
        keysMax: 200,
        pendingMax: 1_000,
      }),
    )
    .to('out', out());
});

export const records = {
  rates: [
    { key: 'USD', value: { at: 0, euro: 0.9 } },
    { key: 'USD', value: { at: 60, euro: 0.8 } },
  ],
  sales: [
    { at: 59, currency: 'USD', amount: 10 }, // the rate of its own time
    { at: 61, currency: 'USD', amount: 10 },
    { at: 62, currency: 'XXX', amount: 10 },
  ],
};

/* out
out  {"at": 59, "euro": 9}
out  {"at": 61, "euro": 8}
out  {"at": 62, "euro": null}
*/
