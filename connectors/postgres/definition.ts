import { url } from '../../src/connect/setting.js';
import { defineConnector } from '../../src/core/connector.js';
import * as kind from './kinds.js';

/** Tables of a Postgres server, the same on both profiles. */
export const definition = defineConnector({
  name: 'postgres',
  kinds: { tableSink: kind.tableKind, tableLookup: kind.rowsKind },
  settings: {
    postgres: url(['postgres', 'postgresql'], 'postgres://127.0.0.1:5432/postgres', 'Postgres, on both profiles.'),
  },
  async open({ settings: { postgres: address } }) {
    const [{ openPostgres }, { examinePostgres }, { writtenRows }] = await Promise.all([
      import('./open.js'),
      import('./examine.js'),
      import('./written.js'),
    ]);
    const server = openPostgres({ url: address });
    return {
      drivers: { tableSink: server.tableSink, tableLookup: server.lookup },
      written: { tableSink: writtenRows(server) },
      examine: () => examinePostgres(server),
      close: () => server.close(),
    };
  },
});
