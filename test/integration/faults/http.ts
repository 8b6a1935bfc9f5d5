import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { http } from '../../../connectors/http/index.js';
import { httpSink } from '../../../connectors/http/sink.js';
import { httpSource } from '../../../connectors/http/source.js';
import { millis, type Sink, type Source, type SourceDriver, type TopicProducer } from '../../../src/core/index.js';
import { json, localRegistry } from '../../../src/schema/index.js';
import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import type { SourceFaultWorld } from '../../../src/testing/source-fault-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { proxyTo } from './shared.js';

/** Pages of a service, each with the number of the next. */
async function poll(): Promise<SourceFaultWorld> {
  const items: number[] = [];
  const server = createServer((request, response) => {
    const from = Number(new URL(request.url ?? '', 'http://x').searchParams.get('from') ?? 0);
    const page = items.slice(from, from + 16).map((n) => ({ n, pad: 'x'.repeat(100) }));
    response.end(JSON.stringify({ items: page, next: from + page.length < items.length ? from + page.length : null }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await proxyTo((server.address() as AddressInfo).port);
  return {
    driver: httpSource({
      schemas: localRegistry(),
      topics: {} as SourceDriver, // of other kinds of the connector
      producer: () => ({}) as TopicProducer,
      patience: { attemptsMax: 4, timeoutMs: 300 },
    }),
    source: http.poll<{ n: number }>({
      url: `http://127.0.0.1:${proxy.port}/items?token=${SECRET}`,
      schema: json<{ n: number }>(),
      eventTime: () => 0,
      items: (page: Page) => page.items,
      cursor: { param: 'from', next: (page: Page) => page.next },
      perSecondMax: 1_000,
    }) as Source<unknown>,
    append: async (numbers) => void items.push(...numbers),
    numberOf: ({ value }) => (JSON.parse(Buffer.from(value ?? []).toString()) as { n: number }).n,
    secret: SECRET,
    proxy,
    async close() {
      await proxy.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Page {
  readonly items: readonly { readonly n: number }[];
  readonly next: number | null;
}

const SECRET = 'not-for-any-log';

/** A service that takes what it is told; it has no data to be restarted on. */
async function webhook(): Promise<SinkFaultWorld> {
  const taken: number[] = [];
  let status = 200;
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      return; // half a request
    }
    if (status === 200) taken.push((JSON.parse(Buffer.concat(parts).toString()) as { n: number }).n);
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await proxyTo((server.address() as AddressInfo).port);
  const answering = (now: number) => async () => {
    status = now;
    return async () => {
      status = 200;
    };
  };
  const keyOf = (n: number) => n % 7;
  return {
    driver: httpSink({ attemptsMax: 4 }),
    sink: http.webhook<{ n: number }>({
      url: `http://127.0.0.1:${proxy.port}/hook?token=${SECRET}`,
      key: ({ n }) => String(keyOf(n)),
      timeout: millis(300),
    }) as Sink<never> as Sink<unknown>,
    openLedger: memoryLedgers(),
    value: (n) => ({ n }),
    keyOf,
    secret: SECRET,
    proxy,
    refusedForNow: answering(503),
    refusedForGood: answering(422),
    visible: async () => taken,
    async close() {
      await proxy.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const sinks = { 'http.webhook': webhook };
export const sources = { 'http.poll': poll };
