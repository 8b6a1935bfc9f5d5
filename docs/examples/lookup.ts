import { lookup, topology } from 'millrace';
import { redis } from 'millrace/connectors/redis';
import { deadLetters, out, topic } from './io.js';

interface Payment {
  readonly at: number;
  readonly customer: string;
}
interface Customer {
  readonly tier: string;
}

/** Stands in for Redis when the example runs. */
export const lookups = { customer: (key: string) => (key === 'customer:ann' ? { tier: 'gold' } : undefined) };

/** Adds what Redis knows of a customer; who is not there is a dead letter. */
export const example = topology('lookup', { deadLetters }, (t) => {
  t.source('payments', topic<Payment>('payments'))
    .via(
      'customer',
      lookup({
        from: redis.hashLookup<Customer>({ decode: ({ tier = '' }) => ({ tier }) }),
        key: ({ customer }) => `customer:${customer}`,
        as: 'known',
      }),
    )
    .to('out', out());
});

export const records = {
  payments: [
    { at: 0, customer: 'ann' },
    { at: 1, customer: 'zoe' },
  ],
};

/* out
out  {"at": 0, "customer": "ann", "known": {"tier": "gold"}}
dead letter  not-found: there is nothing of key 'customer:zoe'
*/
