import { table, topology } from 'millrace';
import { compacted, deadLetters, out } from './io.js';

interface Rate {
  readonly at: number;
  readonly euro: number;
}

/** What changes of each key: before and after. */
export const example = topology('table', { deadLetters }, (t) => {
  t.source('rates', compacted<Rate>('rates'))
    .via('rate', table({ keysMax: 200 }))
    .to('out', out());
});

export const records = {
  rates: [
    { key: 'USD', value: { at: 0, euro: 0.9 } },
    { key: 'USD', value: { at: 60, euro: 0.8 } },
    { key: 'USD', value: null },
  ],
};

/* out
out  {"key": "USD", "before": null, "after": {"at": 0, "euro": 0.9}}
out  {"key": "USD", "before": {"at": 0, "euro": 0.9}, "after": {"at": 60, "euro": 0.8}}
out  {"key": "USD", "before": {"at": 60, "euro": 0.8}, "after": null}
*/
