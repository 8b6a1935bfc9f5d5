import { type PostgresTableOptions, postgres } from '../../../connectors/postgres/index.js';
import { openPostgres } from '../../../connectors/postgres/open.js';
import type { Sink } from '../../../src/core/index.js';
import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { PostgresServer } from '../postgres/server.js';
import { fresh, inTopology, proxyTo, shared } from './shared.js';

const server = shared(() => PostgresServer.start());

/** Any password is taken. */
const SECRET = 'not-for-any-log';

type Row = { readonly n: number; readonly k: number };
const KEYS = 7;

async function rows(more: Pick<PostgresTableOptions<Row>, 'key' | 'exactlyOnce'> = {}): Promise<SinkFaultWorld> {
  const running = await server();
  const table = fresh();
  const proxy = await proxyTo(running.port);
  const url = `postgres://millrace:${SECRET}@127.0.0.1:${proxy.port}/postgres`;
  const driver = openPostgres({ url, attemptsMax: 5, statementMs: 500 });
  /** New sessions begin so; there are no others. */
  const readOnly = (state: 'on' | 'off') =>
    running.query(`SET transaction_read_only = off; ALTER DATABASE postgres SET default_transaction_read_only = ${state};
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'millrace%'`);
  return {
    driver: inTopology(table, driver.tableSink),
    sink: postgres.tableSink<Row>({ table, columns: { n: 'bigint', k: 'integer' }, ...more }) as Sink<unknown>,
    openLedger: memoryLedgers(),
    value: (n) => ({ n, k: n % KEYS }),
    keyOf: (n) => n % KEYS,
    replaces: more.key !== undefined,
    secret: SECRET,
    proxy,
    async restart() {
      await running.kill();
      await running.run();
    },
    async refusedForNow() {
      readOnly('on');
      return async () => void readOnly('off');
    },
    async refusedForGood() {
      running.query(`ALTER TABLE ${table} ADD CONSTRAINT none CHECK (n < 0) NOT VALID`);
      return async () => void running.query(`ALTER TABLE ${table} DROP CONSTRAINT none`);
    },
    visible: async () => running.query(`SELECT n FROM ${table}`).map(([n]) => Number(n)),
    async close() {
      await driver.close();
      await proxy.close();
    },
  };
}

export const sinks = {
  'postgres.tableSink': () => rows(),
  'postgres.tableSink key': () => rows({ key: ['k'] }),
  'postgres.tableSink exactlyOnce': () => rows({ exactlyOnce: true }),
};
