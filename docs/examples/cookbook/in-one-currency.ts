import { hours, joinTable, table, topology, window } from 'millrace';
import { sum, tumbling } from 'millrace/window';
import { compacted, deadLetters, out, topic } from '../io.js';

interface Sale {
  readonly at: number;
  readonly shop: string;
  readonly currency: string;
  readonly amount: number;
}
interface Rate {
  readonly at: number;
  readonly euro: number;
}

/** The turnover of each shop and hour in euro, at the rate of the time of each sale. */
export const example = topology('in-one-currency', { deadLetters }, (t) => {
  const rates = t.source('rates', compacted<Rate>('rates')).via('rate', table({ keysMax: 200 }));
  t.source('sales', topic<Sale>('sales'))
    .via(
      'in-euro',
      { table: rates },
      joinTable({
        key: ({ currency }) => currency,
        combine: ({ shop, amount }, rate) => ({ shop, euro: amount * rate.euro }),
        keysMax: 200,
        pendingMax: 10_000,
      }),
    )
    .via(
      'by-hour',
      window({
        key: ({ shop }) => shop,
        window: tumbling(hours(1)),
        aggregate: { euro: sum(({ euro }) => euro) },
        keysMax: 1_000,
      }),
    )
    .to('out', out());
});

export const records = {
  rates: [
    { key: 'USD', value: { at: 0, euro: 0.5 } },
    { key: 'USD', value: { at: 60, euro: 0.75 } },
  ],
  sales: [
    { at: 30, shop: 'dock', currency: 'USD', amount: 10 },
    { at: 90, shop: 'dock', currency: 'USD', amount: 10 },
  ],
};

/* out
out  {"key": "dock", "startMs": 0, "endMs": 3600000, "euro": 12.5}
*/
