import type { IncomingMessage } from 'node:http';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** A statement as ClickHouse's HTTP interface takes it. */
export interface StatementRequest {
  /** The statement's text; of an insert, the part before its rows. */
  readonly sql: string;
  /** Rows of an insert, where they came apart from the statement. */
  readonly rows: Buffer | undefined;
  readonly format: string;
  readonly database: string | undefined;
  readonly queryId: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
  /** Values of `{name:Type}`, escaped as the interface has them. */
  readonly params: ReadonlyMap<string, string>;
  readonly gzipAnswer: boolean;
  /** Whether it may only read tables. */
  readonly readonly: boolean;
}

/** Parameters of the interface itself, which are not settings of the engine. */
const own = new Set([
  'query',
  'database',
  'default_format',
  'query_id',
  'session_id',
  'session_timeout',
  'session_check',
  'user',
  'password',
  'quota_key',
  'role',
  'compress',
  'decompress',
  'enable_http_compression',
  'wait_end_of_query',
  'buffer_size',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'http_response_buffer_size',
]);

export async function readStatement(request: IncomingMessage, url: URL): Promise<StatementRequest> {
  const body = await readBody(request);
  const query = url.searchParams.get('query');
  const settings = new Map<string, string>();
  const params = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) params.set(name.slice('param_'.length), value);
    else if (!own.has(name)) settings.set(name, value);
  }
  const readonly = !['0', undefined].includes(settings.get('readonly'));
  settings.delete('readonly');
  const header = (name: string) => request.headers[name] as string | undefined;
  return {
    sql: query ?? body.toString(),
    rows: query !== null && body.length > 0 ? body : undefined,
    format: url.searchParams.get('default_format') ?? header('x-clickhouse-format') ?? 'TabSeparated',
    database: url.searchParams.get('database') ?? header('x-clickhouse-database'),
    queryId: url.searchParams.get('query_id') ?? undefined,
    settings,
    readonly,
    params,
    gzipAnswer:
      url.searchParams.get('enable_http_compression') === '1' && /\bgzip\b/.test(header('accept-encoding') ?? ''),
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of decoded(request)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function decoded(request: IncomingMessage): AsyncIterable<unknown> {
  switch (request.headers['content-encoding']) {
    case 'gzip':
      return request.pipe(createGunzip());
    case 'deflate':
      return request.pipe(createInflate());
    case 'br':
      return request.pipe(createBrotliDecompress());
    default:
      return request;
  }
}
