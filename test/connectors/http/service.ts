import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Heard {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A service that answers as it is told, and remembers what it heard. It ends with the test. */
export async function newService(answer: (heard: Heard, response: ServerResponse) => unknown) {
  const heard: Heard[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const one = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts).toString() };
    heard.push(one);
    await answer(one, response);
  }).listen(0, '127.0.0.1');
  // Not `afterEach`: files that share their modules would have it in the first of them alone.
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
}

export const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
