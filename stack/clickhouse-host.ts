import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Session } from 'chdb';
import { restoreDefaultSignals } from '../connectors/clickhouse/engine/chdb-engine.js';
import { engineArguments } from '../connectors/clickhouse/engine/engine.js';
import { codeOf } from '../connectors/clickhouse/errors.js';
import { Sessions } from '../connectors/clickhouse/table/sessions.js';
import { messageOf } from '../src/core/errors.js';
import { bears, foreignness, isSame } from '../src/util/http-access.js';
import { readStatement } from './clickhouse-request.js';
import { HostSession, StatementError } from './clickhouse-session.js';
import { confined, TOKEN_VARIABLE } from './clickhouse-users.js';
import { HOST } from './ports.js';

// The real ClickHouse engine, one process for one folder, behind ClickHouse's HTTP interface: as much of it as clients
// use. For development and tests on loopback. Clients give the token as password of any user; the engine reads and writes no
// files and no addresses.
//
//   MILLRACE_STACK_CLICKHOUSE_TOKEN=... node clickhouse-host.js FOLDER PORT

const SESSIONS = 8;
const READING_SESSIONS = 2;
const compress = promisify(gzip);

interface Lanes {
  readonly writing: Sessions<HostSession>;
  /** A session cannot leave the mode in which it only reads. */
  readonly reading: Sessions<HostSession>;
}

async function open(path: string): Promise<Lanes> {
  const connectionArgs = [...engineArguments, confined(dirname(path))];
  const lanes = async (count: number, readonly: boolean) => {
    const sessions = Array.from({ length: count }, () => new HostSession(new Session(path, { connectionArgs })));
    for (const session of sessions) await session.prepare(readonly);
    return new Sessions(sessions);
  };
  const opened = { writing: await lanes(SESSIONS, false), reading: await lanes(READING_SESSIONS, true) };
  restoreDefaultSignals();
  return opened;
}

/** @throws StatementError as ClickHouse would answer with it. */
function admit({ headers }: IncomingMessage, token: string): void {
  const key = headers['x-clickhouse-key'];
  if (bears(headers, token) || (typeof key === 'string' && isSame(key, token))) return;
  throw new StatementError(516, 'Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)');
}

async function answer(
  { reading, writing }: Lanes,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const foreign = foreignness(request.headers);
  if (foreign !== undefined) {
    response.writeHead(403).end(`${foreign}\n`);
    return;
  }
  const url = new URL(request.url ?? '/', `http://${HOST}`);
  const queryId = url.searchParams.get('query_id') ?? randomUUID();
  response.setHeader('X-ClickHouse-Query-Id', queryId);
  response.setHeader('X-ClickHouse-Server-Display-Name', 'millrace-chdb');
  response.setHeader('X-ClickHouse-Timezone', 'UTC');
  try {
    if (url.pathname === '/ping' || (request.method === 'GET' && !url.searchParams.has('query'))) {
      response.end('Ok.\n');
      return;
    }
    admit(request, token);
    const statement = await readStatement(request, url);
    const result = await (statement.readonly ? reading : writing).use((session) => session.execute(statement));
    response.setHeader('X-ClickHouse-Format', statement.format);
    response.setHeader(
      'X-ClickHouse-Summary',
      JSON.stringify({
        read_rows: String(result.rowsRead),
        written_rows: String(result.rowsWritten),
        elapsed_ns: String(Math.round(result.elapsedSeconds * 1e9)),
      }),
    );
    if (statement.gzipAnswer && result.bytes.length > 0) {
      response.setHeader('Content-Encoding', 'gzip');
      response.end(await compress(result.bytes));
    } else {
      response.end(result.bytes);
    }
  } catch (error) {
    const code = codeOf(error) ?? 1_002; // UNKNOWN_EXCEPTION
    const message = messageOf(error);
    response.statusCode = code === 516 ? 403 : code === 60 || code === 81 ? 404 : 500;
    response.setHeader('X-ClickHouse-Exception-Code', String(code));
    response.end(message.startsWith('Code:') ? message : `Code: ${code}. DB::Exception: ${message}`);
  }
}

const [path, port] = process.argv.slice(2);
const token = process.env[TOKEN_VARIABLE];
if (!path || !port || !token) throw new Error(`usage: ${TOKEN_VARIABLE}=... clickhouse-host FOLDER PORT`);
const lanes = await open(path);
const server = createServer((request, response) => {
  void answer(lanes, token, request, response);
});
server.keepAliveTimeout = 10_000; // longer than the client's, so that it is the client that lets go
server.listen(Number(port), HOST);

const stop = async () => {
  server.close();
  for (const sessions of Object.values(lanes)) for (const session of await sessions.drain()) session.close();
  process.exit(0);
};
process.once('SIGTERM', () => void stop());
process.once('SIGINT', () => void stop());
