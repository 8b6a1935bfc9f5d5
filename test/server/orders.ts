import { kafka } from '../../connectors/kafka/index.js';
import { redis } from '../../connectors/redis/index.js';
import { dedupe, filter, hours, innerJoin, json, topology } from '../../src/index.js';

interface Order {
  readonly id: string;
  readonly at: number;
}
const source = (topic: string) => kafka.source<Order>({ topic, schema: json<Order>(), eventTime: ({ at }) => at });

/** A topology with what a drawing must show: two sources, a further input, state, two sinks of one step. */
export const orders = topology('orders', { deadLetters: kafka.deadLetterSink({ topic: 'orders.dead' }) }, (t) => {
  const payments = t.source('payments', source('payments.v1'));
  const paid = t
    .source('orders', source('orders.v1'))
    .via('dedupe', dedupe({ key: ({ id }) => id, retention: hours(1), keysMax: 1_000 }))
    .via(
      'large',
      filter(({ at }) => at >= 0),
    )
    .via(
      'paid',
      { right: payments },
      innerJoin({
        keys: { left: ({ id }) => id, right: ({ id }) => id },
        within: { before: hours(1), after: hours(1) },
        combine: (order) => order,
        entriesMax: 1_000,
      }),
    );
  paid.to('history', kafka.sink({ topic: 'orders.paid.v1', schema: json<Order>() }));
  paid.to('newest', redis.hashSink({ key: ({ id }) => id, ttl: hours(1) }));
});
