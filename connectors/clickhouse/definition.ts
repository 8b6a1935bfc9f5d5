import { join } from 'node:path';
import { url } from '../../src/connect/setting.js';
import { defineConnector } from '../../src/core/connector.js';
import * as kind from './kinds.js';

/** ClickHouse: on the embedded profile the engine inside this process, on the cluster profile a server. */
export const definition = defineConnector({
  name: 'clickhouse',
  kinds: {
    tableSink: kind.tableKind,
    upsertSink: kind.upsertsKind,
    metricsSink: kind.metricsKind,
    querySource: kind.queryKind,
    tableLookup: kind.rowsKind,
  },
  settings: {
    clickhouse: url(['http', 'https'], 'http://127.0.0.1:8123', 'ClickHouse of the cluster profile (HTTP interface).'),
  },
  async open({ settings: { clickhouse }, data, owner }) {
    const [{ openClickHouse }, { examineClickHouse }, { writtenTables }, { ownersEngine, sharedEngine }] =
      await Promise.all([
        import('./open.js'),
        import('./examine.js'),
        import('./written.js'),
        import('./engine/owners-engine.js'),
      ]);
    const path = join(data ?? '', 'tables');
    const tables = await openClickHouse(
      data === undefined ? { url: clickhouse } : owner ? { engine: ownersEngine(owner, path) } : { path },
    );
    const { engine, tableSink, source, lookup } = tables;
    const written = writtenTables(tables, data !== undefined);
    return {
      drivers: {
        tableSink,
        upsertSink: tableSink,
        metricsSink: tableSink,
        querySource: source,
        tableLookup: lookup,
      },
      written: { tableSink: written, upsertSink: written },
      shared: sharedEngine(engine),
      tables,
      examine: () => examineClickHouse(tables),
      close: () => tables.close(),
    };
  },
});
