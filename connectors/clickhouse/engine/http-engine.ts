import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { MillraceError } from '../../../src/core/errors.js';
import { type Engine, insertSettings, querySettings, readOnlySettings } from './engine.js';
import { refuseFileAccess } from './file-access.js';

export interface HttpOptions {
  /** `http://host:8123`, optionally with user, password and database: `https://user:secret@host/database`. */
  readonly url: string;
  readonly database?: string;
  /** Compresses requests with gzip, for slow networks. */
  readonly compress?: boolean;
  /** PEM of the authority that signed the server's certificate, if the system does not trust it. */
  readonly ca?: Buffer;
  readonly requestTimeoutMs?: number;
}

/** Opens a server's HTTP interface and loads the client library. */
export async function openHttpEngine(options: HttpOptions): Promise<Engine> {
  const { ClickHouseLogLevel, createClient } = await import('@clickhouse/client');
  const { url, database, compress = false, ca, requestTimeoutMs = 60_000 } = options;
  if (!URL.canParse(url)) {
    // Without the cause: the client's error contains the whole address.
    throw new MillraceError('config', 'the address of ClickHouse is not a URL', {
      hint: 'for example http://host:8123/database',
    });
  }
  const client: ClickHouseClient = createClient({
    url,
    application: 'millrace',
    request_timeout: requestTimeoutMs,
    log: { level: ClickHouseLogLevel.OFF }, // errors are thrown, not printed
    compression: { request: compress, response: false },
    ...(database === undefined ? {} : { database }),
    ...(ca ? { tls: { ca_cert: ca } } : {}),
  });
  const { protocol, host } = new URL(url);
  return {
    where: `${protocol}//${host}`,
    async query(sql, params, signal) {
      const result = await client.query({
        query: sql,
        format: 'JSONEachRow',
        query_params: { ...params },
        clickhouse_settings: querySettings,
        ...(signal ? { abort_signal: signal } : {}),
      });
      return result.text();
    },
    async queryReadOnly(sql) {
      refuseFileAccess(sql);
      const settings = { ...readOnlySettings, readonly: '1' as const };
      const result = await client.query({ query: sql, format: 'JSONEachRow', clickhouse_settings: settings });
      return result.text();
    },
    async command(sql) {
      await client.command({ query: sql });
    },
    async exportParquet(sql, file) {
      const { stream } = await client.exec({ query: `${sql} FORMAT Parquet`, clickhouse_settings: querySettings });
      await pipeline(stream, createWriteStream(file));
    },
    // Sent as a statement with a body: the client's own `insert` would parse and serialize the bytes again.
    async insert(table, columns, body) {
      const { stream } = await client.exec({
        query: `INSERT INTO \`${table}\` (${columns.map((name) => `\`${name}\``).join(', ')}) FORMAT JSONCompactEachRow`,
        values: Readable.from([body], { objectMode: false }),
        clickhouse_settings: insertSettings,
      });
      for await (const _ of stream); // an unread response would break the next request on this connection
    },
    close: () => client.close(),
  };
}
