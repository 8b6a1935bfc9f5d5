import { days, hours, json, lookUp, table, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';

interface Account {
  readonly country: string;
}
interface Payment {
  readonly id: string;
  readonly account: string;
  readonly cents: number;
  readonly risk: number;
  readonly at: number;
}

/** Payments from a Redis stream, what is known of their accounts, and everything that a service asks for afterwards. */
export const example = topology('accounts', { deadLetters: kafka.deadLetters({ topic: 'payments.dead' }) }, (t) => {
  const payments = t
    .source(
      'payments',
      redis.entries({
        stream: 'payments',
        field: 'payment',
        schema: json<Payment>(),
        eventTime: (payment) => payment.at,
      }),
    )
    .via(
      'account',
      lookUp({
        from: redis.hashes<Account>({ decode: ({ country = '?' }) => ({ country }) }),
        key: (payment) => `account:${payment.account}`,
        as: 'holder',
        onMissing: { use: { country: '?' } },
      }),
    )
    .via(
      'note',
      lookUp({
        from: redis.strings(),
        key: (payment) => `note:${payment.account}`,
        as: 'note',
        onMissing: { use: '' },
      }),
    );
  payments.to('last', redis.hash({ key: (p) => `last:${p.account}`, ttl: days(7) }));
  payments.to('text', redis.string({ key: (p) => `cents:${p.account}`, value: (p) => String(p.cents), ttl: hours(1) }));
  payments.to('document', redis.json({ key: (p) => `payment:${p.id}`, ttl: hours(1) }));
  payments.to(
    'riskiest',
    redis.sortedSet({
      key: 'riskiest',
      member: (p) => p.account,
      score: (p) => p.risk,
      sizeMax: 100,
    }),
  );
  payments.to('active', redis.set({ key: 'active', member: (p) => p.account }));
  payments.to('spent', redis.counter({ key: (p) => `spent:${p.account}`, by: (p) => p.cents, ttl: days(40) }));
  payments.to('log', redis.stream({ stream: 'checked', entriesMax: 100_000 }));
  // What is known of accounts, for the look-up above; an account that is closed goes away.
  t.source('accounts', kafka.table({ topic: 'accounts.v1', schema: json<Account>() }))
    .via('account-rows', table({ keysMax: 100_000 }))
    .to('known', redis.upserts({ prefix: 'account:' }));
  payments.to('news', redis.publish({ channel: 'payments' }));
});

export const records = {
  accounts: [{ key: 'ann', value: { country: 'CH' } }],
  payments: [{ id: 'p1', account: 'ann', cents: 250, risk: 0.25, at: 1_000 }],
};

export const lookUps = {
  account: (key: string) => (key === 'account:ann' ? { country: 'CH' } : undefined),
  note: () => undefined,
};

/* out
last  {"id": "p1", "account": "ann", "cents": 250, "risk": 0.25, "at": 1000, "holder": {"country": "CH"}, "note": ""}
text  {"id": "p1", "account": "ann", "cents": 250, "risk": 0.25, "at": 1000, "holder": {"country": "CH"}, "note": ""}
document  {"id": "p1", "account": "ann", "cents": 250, "risk": 0.25, "at": 1000, "holder": {"country": "CH"}, "note": ""}
riskiest  {"id": "p1", "account": "ann", "cents": 250, "risk": 0.25, "at": 1000, "holder": {"country": "CH"}, "note": ""}
active  {"id": "p1", "account": "ann", "cents": 250, "risk": 0.25, "at": 1000, "holder": {"country": "CH"}, "note": ""}
spent  {"id": "p1", "account": "ann", "cents": 250, "risk": 0.25, "at": 1000, "holder": {"country": "CH"}, "note": ""}
log  {"id": "p1", "account": "ann", "cents": 250, "risk": 0.25, "at": 1000, "holder": {"country": "CH"}, "note": ""}
known  {"key": "ann", "before": null, "after": {"country": "CH"}}
news  {"id": "p1", "account": "ann", "cents": 250, "risk": 0.25, "at": 1000, "holder": {"country": "CH"}, "note": ""}
*/
