import { createRequire } from 'node:module';
import type { ClickHouseClient } from '@clickhouse/client';
import { MillraceError, messageOf } from '../../src/core/errors.js';

/** Where the engine is: a server's address, or a folder for the engine inside this process. */
export type ClickHouseOptions =
  | { readonly url: string; readonly username?: string; readonly password?: string; readonly database?: string }
  | {
      readonly path: string;
      /** Bytes that one statement of the engine inside may use; 800 MiB by default. */
      readonly memoryMax?: number;
    };

/** Opens the official client, over HTTP or over the engine inside the process; only here are vendor modules loaded. */
export async function openClient(options: ClickHouseOptions): Promise<ClickHouseClient> {
  const { createClient } = await import('@clickhouse/client');
  if ('path' in options)
    return createClient({ connection: await embeddedConnection(options.path), ...settings(options) });
  const { url, username, password, database } = options;
  return createClient({
    url,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    request_timeout: 60_000,
    ...settings(options),
  });
}

/** The same statements with the same defaults wherever the engine runs: servers differ in theirs. */
const settings = (options: ClickHouseOptions) => ({
  clickhouse_settings: {
    async_insert: 0 as const,
    ...('path' in options ? { max_memory_usage: String(options.memoryMax ?? 800 * 2 ** 20) } : {}),
  },
});

async function embeddedConnection(path: string) {
  try {
    const { createChdbConnection } = createRequire(import.meta.url)(
      'chdb/connection',
    ) as typeof import('chdb/connection');
    return createChdbConnection({ path }) as never;
  } catch (cause) {
    const locked = /lock/i.test(messageOf(cause));
    throw new MillraceError('config', `the embedded ClickHouse engine cannot open its folder: ${messageOf(cause)}`, {
      where: path,
      cause,
      hint: locked
        ? 'another process has it open: one process a folder'
        : 'the npm package chdb has engines for Linux (glibc) and macOS; elsewhere use a ClickHouse server',
    });
  }
}
