import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Buckets } from '../../../connectors/s3/bucket.js';

// A store that redirects elsewhere would be sent the signature of the request, and its body.

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(answer: (request: IncomingMessage) => { status: number; location?: string }) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const { status, location } = answer(request);
    request.resume().on('end', () => response.writeHead(status, location ? { location } : {}).end());
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { asked, port: (server.address() as AddressInfo).port };
}

it.each([301, 302, 303, 307, 308])('a redirect of %i is an error and is not followed', async (status) => {
  const elsewhere = await serve(() => ({ status: 200 }));
  const store = await serve(({ url }) => ({ status, location: `http://127.0.0.1:${elsewhere.port}${url}` }));
  const buckets = new Buckets({ url: `http://key:secret@127.0.0.1:${store.port}`, attemptsMax: 1 });
  await expect(buckets.list('lake/')).rejects.toMatchObject({ code: 'sink' });
  await expect(buckets.put('lake/one', Buffer.from('x'))).rejects.toMatchObject({ code: 'sink' });
  expect(store.asked.length).toBeGreaterThanOrEqual(2);
  expect(elsewhere.asked).toEqual([]);
});
