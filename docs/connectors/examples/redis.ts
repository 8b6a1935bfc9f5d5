import { days, hours, json, lookup, table, topology } from 'millrace';
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

const deadLetters = kafka.deadLetterSink({ topic: 'payments.dead' });

/** Reads payments from a Redis stream, looks up their accounts, and writes what a service needs. */
export const example = topology('accounts', { deadLetters, metrics: redis.metricsSink({ ttl: days(7) }) }, (t) => {
  const payments = t
    .source(
      'payments',
      redis.streamSource({
        stream: 'payments',
        field: 'payment',
        schema: json<Payment>(),
        eventTime: (payment) => payment.at,
      }),
    )
    .via(
      'account',
      lookup({
        from: redis.hashLookup<Account>({ decode: ({ country = '?' }) => ({ country }) }),
        key: (payment) => `account:${payment.account}`,
        as: 'holder',
        onMissing: { use: { country: '?' } },
      }),
    )
    .via(
      'note',
      lookup({
        from: redis.stringLookup(),
        key: (payment) => `note:${payment.account}`,
        as: 'note',
        onMissing: { use: '' },
      }),
    );
  payments.to('last', redis.hashSink({ key: (p) => `last:${p.account}`, ttl: days(7) }));
  payments.to(
    'text',
    redis.stringSink({ key: (p) => `cents:${p.account}`, value: (p) => String(p.cents), ttl: hours(1) }),
  );
  payments.to('document', redis.jsonSink({ key: (p) => `payment:${p.id}`, ttl: hours(1) }));
  payments.to(
    'riskiest',
    redis.sortedSetSink({
      key: 'riskiest',
      member: (p) => p.account,
      score: (p) => p.risk,
      sizeMax: 100,
    }),
  );
  payments.to('active', redis.setSink({ key: 'active', member: (p) => p.account }));
  payments.to('spent', redis.counterSink({ key: (p) => `spent:${p.account}`, by: (p) => p.cents, ttl: days(40) }));
  payments.to('log', redis.streamSink({ stream: 'checked', entriesMax: 100_000 }));
  // The accounts for the lookup above; a closed account is deleted.
  t.source('accounts', kafka.tableSource({ topic: 'accounts.v1', schema: json<Account>() }))
    .via('account-rows', table({ keysMax: 100_000 }))
    .to('known', redis.upsertSink({ prefix: 'account:' }));
  payments.to('news', redis.publishSink({ channel: 'payments' }));
});

export const records = {
  accounts: [{ key: 'ann', value: { country: 'CH' } }],
  payments: [{ id: 'p1', account: 'ann', cents: 250, risk: 0.25, at: 1_000 }],
};

export const lookups = {
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
