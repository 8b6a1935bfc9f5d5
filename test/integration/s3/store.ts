import { once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsClient } from 'aws4fetch';
import { address } from '../address.js';

/** The bucket that the stack's store has. */
export const BUCKET = 'lake';

const endpoint = () => new URL(address('MILLRACE_S3'));

/** The store's address by another port, or with another secret. */
export function urlOf(
  changes: { readonly port?: number; readonly password?: string } = {},
  store: URL = endpoint(),
): string {
  return Object.assign(new URL(store), changes).toString();
}

/** Asks the store for something in the bucket, signed, and not by the connector. */
export async function plain(path: string, init: RequestInit = {}, store: URL = endpoint()): Promise<Response> {
  const { username, password, origin } = store;
  const client = new AwsClient({ accessKeyId: username, secretAccessKey: password, service: 's3', retries: 0 });
  const response = await client.fetch(`${origin}/${BUCKET}/${path}`, init);
  if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`);
  return response;
}

/** Keys below a prefix. */
export async function keysOf(prefix: string, store?: URL): Promise<string[]> {
  const text = await (await plain(`?list-type=2&prefix=${prefix}/`, {}, store)).text();
  return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key).sort();
}

/** How many uploads are begun and not ended below a prefix. */
export async function uploadsOf(prefix: string): Promise<number> {
  const text = await (await plain(`?uploads=&prefix=${prefix}/`)).text();
  return text.match(/<UploadId>/g)?.length ?? 0;
}

/** Those of them that readers see. */
export const shownOf = async (prefix: string, store?: URL) =>
  (await keysOf(prefix, store)).filter((key) => !key.includes('/.millrace/'));

export type Fault = 'lose' | 'busy' | 'denied' | 'spoilt' | 'cut' | 'half' | undefined;

const refusals: Partial<Record<NonNullable<Fault>, readonly [number, string]>> = {
  busy: [503, 'SlowDown'],
  denied: [403, 'AccessDenied'],
  spoilt: [400, 'InvalidPart'],
};

/** Something in between that loses answers or halves of them, refuses, or breaks connections, as often as it is told. */
export async function between(fault: (path: string, method: string) => Fault, store: URL = endpoint()) {
  const asked: {
    readonly path: string;
    readonly method: string;
    readonly range: string | undefined;
    readonly bytes: number;
  }[] = [];
  /** Paths of those that were answered in full. */
  const done: string[] = [];
  const server = createServer((request, response) => {
    const { method = '', url: path = '', headers } = request;
    asked.push({ path, method, range: headers.range, bytes: Number(headers['content-length'] ?? 0) });
    const what = fault(path, method);
    if (what === 'cut') return request.socket.destroy();
    const refusal = what && refusals[what];
    if (refusal) {
      const [status, code] = refusal;
      request.resume().once('end', () => response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`));
      return;
    }
    const onwards = ask({ host: '127.0.0.1', port: Number(store.port), path, method, headers }, (answer) => {
      if (what === 'lose') {
        answer.resume().once('end', () => request.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.once('finish', () => done.push(path));
      const hasBody = method !== 'HEAD' && Number(answer.headers['content-length'] ?? 0) > 1;
      if (what !== 'half' || !hasBody) return void answer.pipe(response);
      const half = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2);
      answer.once('data', (bytes: Buffer) => response.write(half(bytes), () => request.socket.destroy()));
    });
    onwards.on('error', () => request.socket.destroy());
    request.pipe(onwards);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: urlOf({ port: (server.address() as AddressInfo).port }, store),
    asked,
    done,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
