import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Session } from 'chdb';
import { restoreDefaultSignals } from '../connectors/clickhouse/engine/default-signals.js';
import { engineArguments } from '../connectors/clickhouse/engine/engine.js';
import { codeOf } from '../connectors/clickhouse/errors.js';
import { Sessions } from '../connectors/clickhouse/table/sessions.js';
import { messageOf } from '../src/core/errors.js';
import { readStatement } from './clickhouse-request.js';
import { HostSession } from './clickhouse-session.js';
import { HOST } from './ports.js';

// The real ClickHouse engine, one process for one folder, behind ClickHouse's HTTP interface: as much of it as clients
// use. For development and tests on loopback: it has no users and no passwords.
//
//   node clickhouse-host.js FOLDER PORT

const SESSIONS = 8;
const compress = promisify(gzip);

async function open(path: string): Promise<Sessions<HostSession>> {
  const sessions = Array.from(
    { length: SESSIONS },
    () => new HostSession(new Session(path, { connectionArgs: [...engineArguments] })),
  );
  for (const session of sessions) await session.prepare();
  restoreDefaultSignals();
  return new Sessions(sessions);
}

async function answer(lanes: Sessions<HostSession>, request: IncomingMessage, response: ServerResponse): Promise<void> {
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
    const statement = await readStatement(request, url);
    const result = await lanes.use((session) => session.execute(statement));
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
    response.statusCode = code === 60 || code === 81 ? 404 : 500;
    response.setHeader('X-ClickHouse-Exception-Code', String(code));
    response.end(message.startsWith('Code:') ? message : `Code: ${code}. DB::Exception: ${message}`);
  }
}

const [path, port] = process.argv.slice(2);
if (!path || !port) throw new Error('usage: clickhouse-host FOLDER PORT');
const lanes = await open(path);
const server = createServer((request, response) => {
  void answer(lanes, request, response);
});
server.keepAliveTimeout = 10_000; // longer than the client's, so that it is the client that lets go
server.listen(Number(port), HOST);

const stop = async () => {
  server.close();
  for (const session of await lanes.drain()) session.close();
  process.exit(0);
};
process.once('SIGTERM', () => void stop());
process.once('SIGINT', () => void stop());
