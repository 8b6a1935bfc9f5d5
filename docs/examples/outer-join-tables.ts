import { outerJoinTables, table, topology } from 'millrace';
import { compacted, deadLetters, out } from './io.js';

interface Customer {
  readonly at: number;
  readonly name: string;
}
interface Credit {
  readonly at: number;
  readonly limit: number;
}

/** A third table, of keys that are in either. */
export const example = topology('outer-join-tables', { deadLetters }, (t) => {
  const credits = t.source('credits', compacted<Credit>('credits')).via('credit', table({ keysMax: 100 }));
  t.source('customers', compacted<Customer>('customers'))
    .via('customer', table({ keysMax: 100 }))
    .via(
      'both',
      { right: credits },
      outerJoinTables({
        keysMax: 100,
        combine: (customer, credit) => ({ name: customer?.name ?? null, limit: credit?.limit ?? null }),
      }),
    )
    .to('out', out());
});

export const records = {
  customers: [
    { key: '1', value: { at: 0, name: 'Ann' } },
    { key: '2', value: { at: 1, name: 'Bob' } },
  ],
  credits: [
    { key: '1', value: { at: 2, limit: 100 } },
    { key: '3', value: { at: 3, limit: 300 } },
    { key: '1', value: { at: 4, limit: 200 } },
  ],
};

/* out
out  {"key": "1", "before": null, "after": {"name": "Ann", "limit": null}}
out  {"key": "2", "before": null, "after": {"name": "Bob", "limit": null}}
out  {"key": "1", "before": {"name": "Ann", "limit": null}, "after": {"name": "Ann", "limit": 100}}
out  {"key": "3", "before": null, "after": {"name": null, "limit": 300}}
out  {"key": "1", "before": {"name": "Ann", "limit": 100}, "after": {"name": "Ann", "limit": 200}}
*/
