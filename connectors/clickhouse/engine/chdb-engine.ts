import { constants } from 'node:os';
import { dirname, resolve } from 'node:path';
import { MillraceError, messageOf } from '../../../src/core/errors.js';
import { optionalPackage } from '../../../src/util/optional-package.js';
import { makePrivateFolder } from '../../../src/util/private-files.js';
import { Sessions } from '../table/sessions.js';
import {
  type Engine,
  engineArguments,
  insertSettings,
  memorySettings,
  querySettings,
  readOnlySettings,
} from './engine.js';
import { refuseFileAccess } from './file-access.js';

export interface ChdbOptions {
  /** The engine's folder. Only one process may use it, and a process only one folder. */
  readonly path: string;
  /** Statements in flight; each uses a thread of libuv's pool while it runs. */
  readonly sessions?: number;
}

const chdb = {
  name: 'chdb',
  install: 'chdb@3',
  neededBy: 'the ClickHouse engine of the embedded profile',
  where: 'clickhouse',
};

const statementsOf = (settings: Readonly<Record<string, string | number>>): readonly string[] =>
  Object.entries(settings).map(([name, value]) => `SET ${name} = '${value}'`);

/**
 * Opens the real ClickHouse engine in this process, through the official client's connection hook. Statements run on libuv's
 * threads and never block the event loop. Raise `UV_THREADPOOL_SIZE` (4 by default, shared with the file system and DNS) before
 * Node starts: the command line sets 16.
 */
export async function openChdbEngine({ path, sessions = 3 }: ChdbOptions): Promise<Engine> {
  const folder = resolve(path);
  makePrivateFolder(dirname(folder));
  const { ClickHouseLogLevel, createClient } = await import('@clickhouse/client');
  const [{ createChdbConnection }, { Session }] = await optionalPackage(chdb, () =>
    Promise.all([import('chdb/connection'), import('chdb')]),
  );
  const open = () => {
    const connection = createChdbConnection({ path: folder });
    // chdb is compiled against a copy of the client's types that is not installed; the types differ in name only.
    return {
      client: createClient({ connection: connection as never, log: { level: ClickHouseLogLevel.OFF } }),
      chdb: connection.chdb,
    };
  };
  let first: InstanceType<typeof Session>;
  try {
    first = new Session(folder, { connectionArgs: engineArguments }); // the first session sets the engine's arguments
  } catch (cause) {
    throw cannotOpen(folder, cause);
  }
  const opened = Array.from({ length: sessions }, open);
  first.close();
  const pool = new Sessions(opened);
  const prepare = async (client: Awaited<ReturnType<typeof open>>['client'], more: readonly string[] = []) => {
    for (const query of [...statementsOf({ ...memorySettings, ...querySettings }), ...more])
      await client.command({ query });
    return client;
  };
  for (const { client } of opened) await prepare(client);
  restoreDefaultSignals();
  // A session cannot leave read-only mode, so it is a separate one.
  let reading: Promise<Sessions<Awaited<ReturnType<typeof prepare>>>> | undefined;
  const readOnly = () => {
    reading ??= prepare(open().client, [...statementsOf(readOnlySettings), 'SET readonly = 1']).then(
      (client) => new Sessions([client]),
    );
    return reading;
  };
  return {
    where: folder,
    query: (sql, params) =>
      pool.use(async ({ client }) => {
        const result = await client.query({ query: sql, format: 'JSONEachRow', query_params: { ...params } });
        return result.text();
      }),
    queryReadOnly: async (sql) => {
      refuseFileAccess(sql);
      const sessions = await readOnly();
      return sessions.use(async (client) => (await client.query({ query: sql, format: 'JSONEachRow' })).text());
    },
    command: (sql) =>
      pool.use(async ({ client }) => {
        await client.command({ query: sql });
      }),
    exportParquet: (sql, file) =>
      pool.use(async ({ client }) => {
        const target = `'${resolve(file).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
        await client.command({
          query: `INSERT INTO FUNCTION file(${target}, 'Parquet') SETTINGS engine_file_truncate_on_insert = 1 ${sql}`,
        });
      }),
    // The client would convert the bytes to a string and to one statement; the engine takes the bytes.
    insert: (table, columns, body) =>
      pool.use(async ({ chdb }) => {
        const settings = insertSettings;
        await chdb.rawInsert({ table, columns, values: body, format: 'JSONCompactEachRow', settings });
      }),
    async close() {
      for (const { client } of await pool.drain()) await client.close();
      for (const client of (await (await reading)?.drain()) ?? []) await client.close();
    },
  };
}

/** The engine prints the reason to standard error; the error here only says that it failed. */
const cannotOpen = (folder: string, cause: unknown): MillraceError =>
  new MillraceError('config', `cannot open the ClickHouse engine: ${messageOf(cause).split('\n')[0]}`, {
    where: folder,
    hint: 'check that no other process has this folder open and that it is writable',
    cause,
  });

/** Signals that chdb handles after it opens: it prints a report and then sleeps. */
const SIGNALS = ['SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGSYS', 'SIGTRAP', 'SIGTSTP'] as const;

/**
 * Restores the default handling of these signals, so that a fatal error ends the process at once. With chdb's handlers, a process
 * whose heap had overflowed stayed for minutes and ignored SIGTERM. Signals with a listener keep it.
 *
 * Node has no call for it; adding and removing a listener does it.
 */
export function restoreDefaultSignals(): void {
  const ignore = () => undefined;
  for (const signal of SIGNALS) {
    if (!(signal in constants.signals) || process.listenerCount(signal) > 0) continue;
    process.on(signal, ignore);
    process.off(signal, ignore);
  }
}
