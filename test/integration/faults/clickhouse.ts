import { ok } from 'node:assert';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { type ClickHouse, openClickHouse } from '../../../connectors/clickhouse/open.js';
import type { MetricRow, Sink, SinkDriver, Source } from '../../../src/core/index.js';
import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import type { SourceFaultWorld } from '../../../src/testing/source-fault-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { changeTo, changing, type Numbered } from './changes.js';
import type { Service } from './kinds.js';
import { fresh, OwnService, proxyTo, shared } from './shared.js';

const server = () => shared(() => OwnService.start('clickhouse'));
type Server = ReturnType<typeof server>;

/** The server takes every login. */

/** A sink on a table of its own, and how rows of the table are read. */
export interface Rows {
  sink(table: string): Sink<unknown>;
  readonly value: (n: number) => unknown;
  readonly numbers: (table: string) => string;
  /** Rows stay as they were inserted. */
  readonly unmerged?: boolean;
}

export const tables = {
  'clickhouse.tableSink': {
    sink: (table) => clickhouse.tableSink<Numbered>({ table, columns: { n: 'UInt32' } }) as Sink<unknown>,
    value: (n) => ({ n }),
    numbers: (table) => `SELECT n FROM ${table}`,
  },
  // What was stored, not what a view or a merge makes of it.
  'clickhouse.tableSink exactlyOnce': {
    unmerged: true,
    sink: (table) =>
      clickhouse.tableSink<Numbered>({ table, columns: { n: 'UInt32' }, exactlyOnce: true }) as Sink<unknown>,
    value: (n) => ({ n }),
    numbers: (table) => `SELECT n FROM ${table}_rows`,
  },
  'clickhouse.upsertSink': {
    sink: (table) =>
      clickhouse.upsertSink<Numbered>({ table, key: 'id', columns: { n: 'UInt32' }, orderBy: ['n'] }) as Sink<unknown>,
    value: changeTo,
    numbers: (table) => `SELECT n FROM ${table}`,
  },
  'clickhouse.metricsSink': {
    sink: (table) => clickhouse.metricsSink({ table }) as Sink<unknown>,
    value: (n) =>
      ({
        ...{ topology: 't', step: 's', task: 0, name: 'n', slice: '', version: '' },
        ...{ eventTimeMs: n, value: n },
      }) satisfies MetricRow,
    numbers: (table) => `SELECT value AS n FROM ${table}`,
  },
} satisfies Record<string, Rows>;

/** What it writes goes by the driver, what else happens to the table by `direct`. */
export function tableWorld(rows: Rows, name: string, { tableSink }: ClickHouse, direct: ClickHouse) {
  const { sink, value, numbers, unmerged = false } = rows;
  return {
    driver: {
      ...tableSink,
      async setUp(...args: Parameters<NonNullable<SinkDriver['setUp']>>) {
        await tableSink.setUp?.(...args);
        if (unmerged)
          await direct.command(`ALTER TABLE ${name}_rows MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1`);
      },
    },
    sink: sink(name),
    openLedger: memoryLedgers(),
    value,
    async refusedForNow() {
      await direct.command(
        `ALTER TABLE ${name}_rows MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1`,
      );
      return () =>
        direct.command(`ALTER TABLE ${name}_rows RESET SETTING parts_to_throw_insert, parts_to_delay_insert`);
    },
    async refusedForGood() {
      await direct.command(`ALTER TABLE ${name}_rows ADD CONSTRAINT none CHECK 1 = 0`);
      return () => direct.command(`ALTER TABLE ${name}_rows DROP CONSTRAINT none`);
    },
    visible: async () => (await direct.query<Numbered>(numbers(name))).map(({ n }) => n),
  } satisfies Partial<SinkFaultWorld>;
}

async function served(start: Server, rows: Rows) {
  const service = await start();
  const proxy = await proxyTo(service.port);
  const url = Object.assign(new URL(service.url), { port: proxy.port }).href;
  const driver = await openClickHouse({ url, batchRows: 16, attemptsMax: 5, requestTimeoutMs: 700 });
  const direct = await openClickHouse({ url: service.url.href });
  return {
    ...tableWorld(rows, fresh(), driver, direct),
    secret: service.url.password,
    proxy,
    restart: () => service.restart(),
    async close() {
      await driver.close();
      await direct.close();
      await proxy.close();
    },
  } satisfies SinkFaultWorld;
}

async function query(start: Server): Promise<SourceFaultWorld> {
  const service = await start();
  const name = fresh();
  const proxy = await proxyTo(service.port);
  const url = Object.assign(new URL(service.url), { port: proxy.port }).href;
  const driver = await openClickHouse({ url, attemptsMax: 5, requestTimeoutMs: 700 });
  const direct = await openClickHouse({ url: service.url.href });
  return {
    driver: driver.source,
    source: clickhouse.querySource({
      name,
      sql: `SELECT n, repeat('x', 100) AS pad FROM ${name}`,
      orderBy: ['n'],
      eventTime: () => 0,
    }) as Source<unknown>,
    async append(numbers) {
      await direct.command(`CREATE TABLE ${name} (n UInt32) ENGINE = MergeTree ORDER BY n`);
      await direct.command(`INSERT INTO ${name} VALUES ${numbers.map((n) => `(${n})`).join(', ')}`);
    },
    async refusedForNow() {
      // One reader at a time, and another one reads.
      await direct.command(
        `ALTER TABLE ${name} MODIFY SETTING max_concurrent_queries = 1, min_marks_to_honor_max_concurrent_queries = 1`,
      );
      const read = (async (): Promise<unknown> => {
        for (;;) {
          try {
            return await direct.query(`SELECT sleepEachRow(0.003) FROM ${name}`);
          } catch {} // whoever looks whether it is refused came first
        }
      })();
      const refusal = () => direct.query(`SELECT n FROM ${name} LIMIT 1`).catch(({ message }) => String(message));
      for (let tries = 0; !String(await refusal()).includes('202'); tries++) ok(tries < 20, 'it refuses nobody');
      return async () => {
        await read;
        await direct.command(
          `ALTER TABLE ${name} RESET SETTING max_concurrent_queries, min_marks_to_honor_max_concurrent_queries`,
        );
      };
    },
    async refusedForGood() {
      await direct.command(`RENAME TABLE ${name} TO ${name}_away`);
      return () => direct.command(`RENAME TABLE ${name}_away TO ${name}`);
    },
    numberOf: ({ value }) => Number((JSON.parse(Buffer.from(value ?? []).toString()) as { n: unknown }).n),
    secret: service.url.password,
    proxy,
    restart: () => service.restart(),
    async close() {
      await Promise.all([driver.close(), direct.close()]);
      await proxy.close();
    },
  };
}

const [one, two] = [server(), server()];
const upserts = async () => ({ ...(await served(two, tables['clickhouse.upsertSink'])), ...changing });

/** Side by side, each with a server of its own. */
export const lanes: readonly Service[] = [
  {
    sinks: {
      'clickhouse.tableSink': () => served(one, tables['clickhouse.tableSink']),
      'clickhouse.tableSink exactlyOnce': () => served(one, tables['clickhouse.tableSink exactlyOnce']),
      'clickhouse.metricsSink': () => served(one, tables['clickhouse.metricsSink']),
    },
  },
  {
    sinks: {
      'clickhouse.upsertSink': upserts,
      'clickhouse.upsertSink idleTimeout': async () => ({ ...(await upserts()), deferred: true }),
    },
    sources: { 'clickhouse.querySource': () => query(two) },
  },
];
