import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClickHouse } from '../../../connectors/clickhouse/open.js';
import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import { changing } from './changes.js';
import { type Rows, tables, tableWorld } from './clickhouse.js';
import { fresh, shared } from './shared.js';

/** The folder of the embedded profile's engine: one for this process. */
const folder = shared(async () => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-faults-'));
  return { path: join(path, 'db'), stop: async () => rmSync(path, { recursive: true, force: true }) };
});

async function inProcess(rows: Rows) {
  const { path } = await folder();
  const driver = await openClickHouse({ path, batchRows: 16, attemptsMax: 5 });
  return { ...tableWorld(rows, fresh(), driver, driver), close: () => driver.close() } satisfies SinkFaultWorld;
}

export const sinks = {
  'clickhouse.tableSink': () => inProcess(tables['clickhouse.tableSink']),
  'clickhouse.tableSink exactlyOnce': () => inProcess(tables['clickhouse.tableSink exactlyOnce']),
  'clickhouse.upsertSink': async () => ({ ...(await inProcess(tables['clickhouse.upsertSink'])), ...changing }),
  'clickhouse.metricsSink': () => inProcess(tables['clickhouse.metricsSink']),
};
