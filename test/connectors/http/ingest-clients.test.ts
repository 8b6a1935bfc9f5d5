import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { http, type IngestOptions } from '../../../connectors/http/index.js';
import { httpSource } from '../../../connectors/http/source.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import type { TopicProducer } from '../../../src/core/profile.js';
import type { Source } from '../../../src/core/source.js';
import { json } from '../../../src/schema/index.js';
import { openWorld } from '../../profiles/embedded/world.js';
import { certificate, key } from './certificate.js';
import { range } from './service.js';

// Clients that are cut, slow, or never come to the point.

const REQUEST_MS = 400;

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

interface Opening {
  readonly options?: Partial<IngestOptions<unknown>>;
  readonly requestMs?: number;
  /** Before records are stored. */
  before?(): Promise<void>;
}

async function open({ options = {}, requestMs = REQUEST_MS, before }: Opening = {}) {
  const { embedded, close } = await openWorld();
  ended.push(close);
  const producer = (): TopicProducer => {
    const own = embedded.producer();
    return {
      ...own,
      async send(topic, records) {
        await before?.();
        await own.send(topic, records);
      },
    };
  };
  const driver = httpSource({ schemas: embedded.schemas, topics: embedded.source, producer, requestMs });
  const source = http.ingestSource<unknown>({
    topic: 'in',
    schema: json<unknown>(),
    port: 0,
    ...options,
  }) as Source<unknown>;
  await driver.setUp?.(source);
  /** A task that reads the topic. */
  const read = () =>
    driver.open(source, {
      task: { topology: 't', partition: 0 },
      partition: 0,
      offset: EARLIEST,
      bounded: false,
      step: 'in',
    });
  const reader = await read();
  const port = driver.portOf('in') as number;
  /** A client that sends this much and no more; what it has heard when the connection is over, and after how long. */
  const client = (text: string) => {
    const begunMs = performance.now();
    const socket = connect(port, '127.0.0.1');
    ended.push(() => socket.destroy());
    socket.write(text);
    let heard = '';
    socket.on('data', (bytes) => {
      heard += bytes;
    });
    const closed = new Promise<{ heard: string; ms: number }>((resolve) => {
      socket.on('error', () => undefined); // a reset is an end, too
      socket.on('close', () => resolve({ heard, ms: performance.now() - begunMs }));
    });
    return { socket, closed, status: () => heard.split(' ')[1] };
  };
  const stored = () => [...embedded.scan('in', 0)].map(({ value }) => Buffer.from(value ?? []).toString());
  return { client, stored, read, reader, port, isOpen: () => driver.portOf('in') !== undefined };
}

const post = (length: number, body = '') =>
  `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n${body}`;
const chunked = 'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
const drip = (socket: Socket, text: string) => {
  const timer = setInterval(() => socket.write(text), 20);
  socket.once('close', () => clearInterval(timer));
};

describe('the door of http.ingestSource', () => {
  it('is open as long as one of its tasks reads', async () => {
    const { client, stored, read, reader, isOpen } = await open();
    const other = await read();
    await reader.close();
    await reader.close(); // a second time is no other task
    const { closed } = client(`${post(1, '1').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}`);
    expect((await closed).heard).toContain(' 202 ');
    expect(stored()).toEqual(['1']);
    await other.close();
    expect(isOpen()).toBe(false);
  });

  it('keeps nothing of a request that is cut, and goes on', async () => {
    const { client, stored } = await open();
    const cut = [post(1_000, '[1,2,3,'), post(2, '1'), `${chunked}2\r\n1\n\r\n`, 'POST / HT', post(1_000)];
    for (const text of cut) {
      const { socket } = client(text);
      await once(socket, 'connect');
      await sleep(20);
      socket.resetAndDestroy();
    }
    const { closed, status } = client(post(1, '7').replace('Host', 'Connection: close\r\nHost'));
    await closed;
    expect([status(), stored()]).toEqual(['202', ['7']]);
  });

  it('cuts requests that do not arrive in time, wherever they have come to', async () => {
    const { client, stored } = await open();
    const slow = [
      client(''),
      client('POST / HTTP/1.1\r\nHost: localhost\r\n'),
      client(post(1_000, '[1,')),
      client(chunked),
    ];
    const [, heads, bodies, chunks] = slow;
    drip(heads?.socket as Socket, 'X-A: b\r\n');
    drip(bodies?.socket as Socket, '1,');
    drip(chunks?.socket as Socket, '2\r\n1,\r\n');
    for (const { heard, ms } of await Promise.all(slow.map(({ closed }) => closed))) {
      expect(heard).toMatch(/^HTTP\/1.1 408 /);
      expect(ms).toBeLessThan(4 * REQUEST_MS);
    }
    expect(stored()).toEqual([]);
  });

  it('has no more bodies in memory than it says, however many clients are slow', async () => {
    const bytesMax = 1_000;
    const { client } = await open({ options: { bytesMax }, requestMs: 10_000 });
    const clients = range(0, 20).map(() => client(post(bytesMax, 'x'.repeat(bytesMax - 1))));
    await expect.poll(() => clients.filter(({ status }) => status() === '429').length).toBe(4);
    for (const { socket } of clients) socket.destroy();
    const next = client(post(1, '7'));
    await expect.poll(() => next.status()).toBe('202'); // the room is given back
  });

  it('closes at once, whatever clients it waits for, and answers those whose records it has', async () => {
    let store: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      store = resolve;
    });
    const { client, stored, reader } = await open({ requestMs: 60_000, before: () => held });
    const slow = [client(''), client('POST / HT'), client(post(1_000, '[1,'))];
    for (const { socket } of slow) await once(socket, 'connect');
    const storing = client(post(1, '7'));
    const late = client(post(2, '1'));
    await sleep(50);
    const closing = reader.close();
    await sleep(50);
    late.socket.write('8'); // only now it is here as a whole
    await expect.poll(() => late.status()).toBe('503');
    store();
    await closing;
    await Promise.all([...slow, storing, late].map(({ closed }) => closed));
    expect([storing.status(), stored()]).toEqual(['202', ['7']]);
    expect(slow.map(({ status }) => status())).toEqual([undefined, undefined, undefined]);
  });

  it('closes at once while somebody shakes hands for ever', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-ingest-'));
    ended.push(() => rmSync(folder, { recursive: true }));
    const tls = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') };
    writeFileSync(tls.certificate, certificate);
    writeFileSync(tls.key, key);
    const { client, reader } = await open({ options: { tls } });
    const { socket, closed } = client('\x16\x03\x01');
    await once(socket, 'connect');
    await sleep(20);
    await reader.close();
    expect((await closed).ms).toBeLessThan(2_000);
  });
});
