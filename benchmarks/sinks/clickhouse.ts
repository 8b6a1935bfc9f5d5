import { join } from 'node:path';
import { createClient } from '@clickhouse/client';
import { Session } from 'chdb';
import { clickhouse } from '../../connectors/clickhouse/index.js';
import { openClickHouse } from '../../connectors/clickhouse/open.js';
import type { Prediction } from '../../schemas/prediction.v1.js';
import type { Contest } from './contest.js';
import { inBatches, sinkSide } from './side.js';

const BATCH = 20_000;

const columns = {
  flightId: 'Int64',
  origin: 'LowCardinality(String)',
  destination: 'LowCardinality(String)',
  departedAt: 'DateTime64(3)',
  late: 'Float64',
  hourRate: 'Float64',
  lastClass: 'Float64',
  majority: 'Float64',
  modelVersion: 'LowCardinality(String)',
  risk: 'Nullable(Float64)',
  riskModel: 'LowCardinality(String)',
  degraded: 'LowCardinality(Nullable(String))',
  featuresDigest: 'String',
} as const;
const sink = clickhouse.tableSink<Prediction>({ table: 'predictions', columns, orderBy: ['departedAt'] });
const lines = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
const createByHand = `CREATE TABLE by_hand (${lines.join(', ')}) ENGINE = MergeTree ORDER BY departedAt`;

export const contests: readonly Contest[] = [
  {
    name: 'clickhouse.tableSink, HTTP',
    byHand: `@clickhouse/client: insert() of ${BATCH} objects, JSONEachRow`,
    needs: ['clickhouse'],
    records: 200_000,
    async open({ clickhouse: url }) {
      const opened = await openClickHouse({ url });
      const client = createClient({ url, clickhouse_settings: { async_insert: 0 } });
      await client.command({ query: createByHand });
      return {
        sink: (run) => sinkSide(opened.tableSink, sink, run),
        byHand: async () =>
          inBatches(BATCH, (values) => client.insert({ table: 'by_hand', values: [...values], format: 'JSONEachRow' })),
        async close() {
          await opened.close();
          await client.close();
        },
      };
    },
  },
  {
    name: 'clickhouse.tableSink, chdb',
    byHand: `chdb: insert() of the bytes of ${BATCH} rows, JSONEachRow`,
    needs: [],
    records: 200_000,
    async open({ folder }) {
      const path = join(folder, 'chdb');
      const opened = await openClickHouse({ path });
      const session = new Session(path);
      await session.queryAsync(createByHand);
      return {
        sink: (run) => sinkSide(opened.tableSink, sink, run),
        byHand: async () =>
          inBatches(BATCH, (values) =>
            session.insert({
              table: 'by_hand',
              values: Buffer.from(values.map((value) => JSON.stringify(value)).join('\n')),
              format: 'JSONEachRow',
            }),
          ),
        async close() {
          session.close();
          await opened.close();
        },
      };
    },
  },
];
