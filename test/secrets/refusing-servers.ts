import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcp, type Server, type Socket } from 'node:net';

// Services that let nobody in, as small as can be.

export interface Refusing {
  readonly host: string;
  close(): Promise<void>;
}

async function listening(server: Server, sockets: ReadonlySet<Socket>): Promise<Refusing> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function tcp(onData: (socket: Socket, bytes: Buffer) => void): Promise<Refusing> {
  const sockets = new Set<Socket>();
  const server = createTcp((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => onData(socket, bytes));
  });
  return listening(server, sockets);
}

function http(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Refusing> {
  const sockets = new Set<Socket>();
  const server = createHttp((request, response) => {
    request.resume();
    request.on('end', () => answer(request, response));
  });
  server.on('connection', (socket) => sockets.add(socket));
  return listening(server, sockets);
}

/** Ends every connection at the first byte. */
export const hangingUp = (): Promise<Refusing> => tcp((socket) => socket.destroy());

/** Redis that knows no such user. */
export const refusingRedis = (): Promise<Refusing> =>
  tcp((socket, bytes) => {
    for (const _ of bytes.toString().matchAll(/\*\d+\r\n/g)) {
      socket.write('-WRONGPASS invalid username-password pair or user is disabled.\r\n');
    }
  });

/** Postgres that asks for a password in the clear and then refuses it. */
export const refusingPostgres = (): Promise<Refusing> =>
  tcp((socket, bytes) => {
    if (bytes.length === 8) return void socket.write('N'); // no TLS
    if (bytes[0] !== 0x70) return void socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
    const fields = Buffer.from('SFATAL\0C28P01\0Mpassword authentication failed for user "user"\0\0');
    const head = Buffer.alloc(5);
    head.write('E');
    head.writeInt32BE(4 + fields.length, 1);
    socket.end(Buffer.concat([head, fields]));
  });

/** A service that has nothing new. */
export const answeringHttp = (): Promise<Refusing> =>
  http((_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('[]'));

/** A service over HTTP that answers with one status, in words that ClickHouse, S3 and registries each understand. */
export const refusingHttp = (status: number): Promise<Refusing> =>
  http((_, response) => {
    const type = { 'content-type': 'application/json', 'x-clickhouse-exception-code': '516' };
    response.writeHead(status, type).end('{"error_code":40101,"message":"Authentication failed"}');
  });
