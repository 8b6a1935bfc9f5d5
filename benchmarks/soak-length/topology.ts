import { kafka } from '../../connectors/kafka/index.js';
import { count, sum } from '../../src/aggregates/index.js';
import { minutes } from '../../src/core/index.js';
import { dedupe, map, throttle, window } from '../../src/operators/index.js';
import { tumbling } from '../../src/operators/window/spec.js';
import { topology } from '../../src/topology/index.js';
import { PARTITIONS, type Payment, PaymentV1, type Total, TotalV1 } from './events.js';

const MIB = 2 ** 20;

/** Of each partition; segments and checks of age are Kafka's alone. */
const retention = (mib: number) => ({
  'retention.bytes': String(mib * MIB),
  'segment.bytes': String((mib * MIB) / 4),
  'file.delete.delay.ms': '1000',
});

/** As many bytes are kept as the feeder may be ahead, several times over. */
export const payments = { name: 'soak.payments', partitions: PARTITIONS, configs: retention(32) };
export const totals = kafka.source<Total>({ topic: 'soak.totals', schema: TotalV1 });

/** Steps whose state must expire with event time: ids, buckets of users, windows of users. All of them are of users who never come back. */
export const soakLength = topology(
  'soak-length',
  { deadLetters: kafka.deadLetterSink({ topic: 'soak.dead' }) },
  (t) => {
    t.source('payments', kafka.source({ topic: payments.name, schema: PaymentV1, eventTime: (p: Payment) => p.at }))
      .via('dedupe', dedupe({ key: (p) => p.id, retention: minutes(10), keysMax: 200_000 }))
      .via('rate', throttle({ key: (p) => p.user, records: 1_000, per: minutes(1), keysMax: 100_000 }))
      .via(
        'by-user',
        window({
          key: (p) => p.user,
          window: tumbling(minutes(5)),
          aggregate: { payments: count(), amount: sum((p: Payment) => p.amount) },
          keysMax: 10_000,
        }),
      )
      .via(
        'total',
        map(({ key, startMs, payments, amount }): Total => ({ user: key, startMs, payments, amount })),
      )
      .to(
        'totals',
        kafka.sink({ topic: totals.topic, schema: TotalV1, key: ({ user }) => user, configs: retention(4) }),
      );
  },
);
