import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { openClickHouse } from '../../../connectors/clickhouse/open.js';
import type { Sink, Source } from '../../../src/core/index.js';
import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import type { SourceFaultWorld } from '../../../src/testing/source-fault-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { fresh, OwnService, proxyTo, shared } from './shared.js';

const server = shared(() => OwnService.start('clickhouse'));

/** The server takes every login. */
const SECRET = 'not-for-any-log';

async function table(): Promise<SinkFaultWorld> {
  const service = await server();
  const name = fresh();
  const proxy = await proxyTo(service.port);
  const url = `http://default:${SECRET}@127.0.0.1:${proxy.port}`;
  const driver = await openClickHouse({ url, batchRows: 16, attemptsMax: 5, requestTimeoutMs: 700 });
  const direct = await openClickHouse({ url: service.url.href });
  return {
    driver: driver.tableSink,
    sink: clickhouse.table<{ n: number }>({ table: name, columns: { n: 'UInt32' } }) as Sink<unknown>,
    openLedger: memoryLedgers(),
    value: (n) => ({ n }),
    secret: SECRET,
    proxy,
    restart: () => service.restart(),
    async refusedForNow() {
      await direct.command(
        `ALTER TABLE ${name}_rows MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1`,
      );
      return () =>
        direct.command(`ALTER TABLE ${name}_rows RESET SETTING parts_to_throw_insert, parts_to_delay_insert`);
    },
    async refusedForGood() {
      await direct.command(`ALTER TABLE ${name}_rows ADD CONSTRAINT none CHECK n > 1000000`);
      return () => direct.command(`ALTER TABLE ${name}_rows DROP CONSTRAINT none`);
    },
    visible: async () => (await direct.query<{ n: number }>(`SELECT n FROM ${name}`)).map(({ n }) => n),
    async close() {
      await driver.close();
      await direct.close();
      await proxy.close();
    },
  };
}

async function query(): Promise<SourceFaultWorld> {
  const service = await server();
  const name = fresh();
  const proxy = await proxyTo(service.port);
  const url = `http://default:${SECRET}@127.0.0.1:${proxy.port}`;
  const driver = await openClickHouse({ url, attemptsMax: 5, requestTimeoutMs: 700 });
  const direct = await openClickHouse({ url: service.url.href });
  return {
    driver: driver.source,
    source: clickhouse.query({
      name,
      sql: `SELECT n, repeat('x', 100) AS pad FROM ${name}`,
      orderBy: ['n'],
      eventTime: () => 0,
    }) as Source<unknown>,
    async append(numbers) {
      await direct.command(`CREATE TABLE ${name} (n UInt32) ENGINE = MergeTree ORDER BY n`);
      await direct.command(`INSERT INTO ${name} VALUES ${numbers.map((n) => `(${n})`).join(', ')}`);
    },
    numberOf: ({ value }) => Number((JSON.parse(Buffer.from(value ?? []).toString()) as { n: unknown }).n),
    secret: SECRET,
    proxy,
    restart: () => service.restart(),
    async close() {
      await Promise.all([driver.close(), direct.close()]);
      await proxy.close();
    },
  };
}

export const sources = { 'clickhouse.query': query };
export const sinks = { 'clickhouse.table': table };
