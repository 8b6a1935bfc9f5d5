import { csv, filter, map, ndjson, topology } from 'millrace';
import { file } from 'millrace/connectors/file';
import { kafka } from 'millrace/connectors/kafka';

const OrderCsv = csv({
  columns: { id: 'text', at: 'date', amount: 'number', paid: 'boolean' },
});
interface Request {
  readonly path: string;
  readonly at: number;
}

/** Reads orders from whole files and writes Parquet by day; reads a growing log and writes compressed lines. */
export const example = topology('files', { deadLetters: kafka.deadLetterSink({ topic: 'files.dead' }) }, (t) => {
  t.source(
    'orders',
    file.source({
      path: 'data/orders/*.csv',
      schema: OrderCsv,
      header: true,
      eventTime: (order) => order.at.getTime(),
    }),
  )
    .via(
      'paid',
      filter((order) => order.paid),
    )
    .to(
      'archive',
      file.sink({ folder: 'out/orders', columns: { id: 'text', at: 'date', amount: 'number' }, by: 'day' }),
    );
  t.source(
    'requests',
    file.tailSource({
      path: 'data/requests.ndjson',
      schema: ndjson<Request>(),
      eventTime: (request) => request.at,
    }),
  )
    .via(
      'of-shop',
      map(({ path, at }) => ({ path: path.toLowerCase(), at })),
    )
    .to('log', file.sink({ folder: 'out/requests', schema: ndjson<Request>(), compression: 'gzip' }));
});

export const records = {
  orders: [
    { id: 'a', at: new Date(1_000), amount: 5, paid: true },
    { id: 'b', at: new Date(2_000), amount: 6, paid: false },
  ],
  requests: [{ path: '/Shop', at: 1_500 }],
};

/* out
archive  {"id": "a", "at": "1970-01-01T00:00:01.000Z", "amount": 5, "paid": true}
log  {"path": "/shop", "at": 1500}
*/
