import { filter, ndjson, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { s3 } from 'millrace/connectors/s3';

interface Order {
  readonly id: string;
  readonly amount: number;
  readonly at: number;
}

/** Copies from one bucket to another, with a folder per hour. */
export const example = topology('bucket', { deadLetters: kafka.deadLetterSink({ topic: 'bucket.dead' }) }, (t) => {
  t.source(
    'orders',
    s3.source({
      path: 'shop/orders/*.ndjson.gz',
      schema: ndjson<Order>(),
      eventTime: (order) => order.at,
    }),
  )
    .via(
      'large',
      filter((order) => order.amount >= 100),
    )
    .to('archive', s3.sink({ folder: 'lake/orders', schema: ndjson<Order>(), compression: 'gzip', by: 'hour' }));
});

export const records = {
  orders: [
    { id: 'a', amount: 250, at: 1_000 },
    { id: 'b', amount: 20, at: 2_000 },
  ],
};

/* out
archive  {"id": "a", "amount": 250, "at": 1000}
*/
