import { type AddressInfo, connect, createServer } from 'node:net';
import { MillraceError } from '../src/core/errors.js';

export const HOST = '127.0.0.1';

/** Listens for a moment on `port` (0: any free one) and says which it was; throws where something listens there. */
export function probePort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: HOST, port, exclusive: true }, () => {
      const { port: taken } = server.address() as AddressInfo;
      server.close(() => resolve(taken));
    });
  });
}

/** The port to use for a service: a free one for 0, otherwise the one asked for if it is free. */
export async function claimPort(service: string, port: number): Promise<number> {
  try {
    return await probePort(port);
  } catch (cause) {
    throw new MillraceError('config', `port ${port} is already in use, so ${service} cannot start there`, {
      where: service,
      hint: `stop what listens on ${HOST}:${port}, or choose another port with --${service}-port`,
      cause,
    });
  }
}

/** Sends `request` on a new connection and answers with the first bytes that come back. */
export function ask(port: number, request: Uint8Array, timeoutMs = 1_000): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: HOST, port, timeout: timeoutMs });
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.once('connect', () => socket.write(request));
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes);
    });
    socket.once('timeout', () => fail(new Error('no answer')));
    socket.once('close', () => fail(new Error('connection closed')));
    socket.once('error', fail);
  });
}
