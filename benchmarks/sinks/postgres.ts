import pg from 'pg';
import { postgres } from '../../connectors/postgres/index.js';
import { openPostgres } from '../../connectors/postgres/open.js';
import type { Prediction } from '../../schemas/prediction.v1.js';
import type { Contest } from './contest.js';
import { inBatches, sinkSide } from './side.js';

const BATCH = 2_000;

const columns = {
  flightId: 'bigint',
  origin: 'text',
  destination: 'text',
  departedAt: 'timestamptz',
  late: 'double precision',
  hourRate: 'double precision',
  lastClass: 'double precision',
  majority: 'double precision',
  modelVersion: 'text',
  risk: 'double precision',
  riskModel: 'text',
  degraded: 'text',
  featuresDigest: 'text',
} as const;
const names = Object.keys(columns) as (keyof typeof columns)[];

export const contests: readonly Contest[] = [
  {
    name: 'postgres.tableSink',
    byHand: `pg: INSERT ... SELECT FROM unnest of ${BATCH} rows, each a transaction`,
    needs: ['postgres'],
    records: 100_000,
    async open({ postgres: url }) {
      const opened = openPostgres({ url });
      const sink = postgres.tableSink<Prediction>({ table: 'predictions', columns });
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const quoted = names.map((name) => `"${name}"`);
      const definition = names.map((name, i) => `${quoted[i]} ${columns[name]}`);
      await client.query(`CREATE TABLE by_hand (${definition.join(', ')})`);
      const arrays = names.map((name, i) => `$${i + 1}::${columns[name]}[]`);
      const insert = `INSERT INTO by_hand (${quoted.join(', ')}) SELECT * FROM unnest(${arrays.join(', ')})`;
      const put = (values: readonly Prediction[]) =>
        client.query(
          insert,
          names.map((name) =>
            values.map((value) => (name === 'departedAt' ? new Date(value.departedAt) : value[name])),
          ),
        );
      return {
        sink: (run) => sinkSide(opened.tableSink, sink, run),
        byHand: async () => inBatches(BATCH, put),
        async close() {
          await opened.close();
          await client.end();
        },
      };
    },
  },
];
