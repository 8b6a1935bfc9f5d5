import { days, hours, topology, window } from 'millrace';
import { onInterval, sum, tumbling } from 'millrace/window';
import { deadLetters, out, topic } from '../io.js';

interface Sale {
  readonly at: number;
  readonly shop: string;
  readonly amount: number;
}

/** The total of a day while it goes on: each hour a change, from what was told before to what is known now. */
export const example = topology('early-totals', { deadLetters }, (t) => {
  t.source('sales', topic<Sale>('sales'))
    .via(
      'today',
      window({
        key: ({ shop }) => shop,
        window: tumbling(days(1)),
        aggregate: { amount: sum(({ amount }) => amount) },
        emit: onInterval({ every: hours(1) }),
        keysMax: 1_000,
      }),
    )
    .to('out', out());
});

export const records = {
  sales: [
    { at: 0, shop: 'dock', amount: 5 },
    { at: 600, shop: 'dock', amount: 6 },
    { at: 4_000, shop: 'dock', amount: 7 },
    { at: 8_000, shop: 'dock', amount: 1 },
  ],
};

/* out
out  {"key": "dock@0", "before": null, "after": {"key": "dock", "startMs": 0, "endMs": 86400000, "amount": 18}}
out  {"key": "dock@0", "before": {"key": "dock", "startMs": 0, "endMs": 86400000, "amount": 18}, "after": {"key": "dock", "startMs": 0, "endMs": 86400000, "amount": 19}}
*/
