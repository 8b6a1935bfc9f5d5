import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { http } from '../../../connectors/http/index.js';
import { httpSink } from '../../../connectors/http/sink.js';
import { httpSource } from '../../../connectors/http/source.js';
import { millis, type Sink, type Source, type SourceDriver, type TopicProducer } from '../../../src/core/index.js';
import { json, localRegistry } from '../../../src/schema/index.js';
import type { Refusal, SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import type { SourceFaultWorld } from '../../../src/testing/source-fault-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { lastingPorts } from '../../ports.js';
import { proxyTo } from './shared.js';

/** Pages of a service, each with the number of the next. */
async function poll(): Promise<SourceFaultWorld> {
  const items: number[] = [];
  const service = await Service.start((request, response) => {
    const from = Number(new URL(request.url ?? '', 'http://x').searchParams.get('from') ?? 0);
    const page = items.slice(from, from + 16).map((n) => ({ n, pad: 'x'.repeat(100) }));
    response.end(JSON.stringify({ items: page, next: from + page.length < items.length ? from + page.length : null }));
  });
  const proxy = await proxyTo(service.port);
  return {
    driver: httpSource({
      schemas: localRegistry(),
      topics: {} as SourceDriver, // of other kinds of the connector
      producer: () => ({}) as TopicProducer,
      limits: { attemptsMax: 4, timeoutMs: 1_000, retryAfterMaxMs: 1_000 },
    }),
    source: http.pollSource<{ n: number }>({
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
    restart: () => service.restart(),
    refusedForNow: service.answering(503, 429),
    refusedForGood: service.answering(404),
    async close() {
      await proxy.close();
      await service.stop();
    },
  };
}

interface Page {
  readonly items: readonly { readonly n: number }[];
  readonly next: number | null;
}

const SECRET = 'not-for-any-log';

/** A service of this process, with what it remembers. */
class Service {
  private readonly server: Server;
  private statuses: number[] = [];

  private constructor(answer: RequestListener) {
    this.server = createServer((request, response) => {
      const [status] = this.statuses;
      if (status === undefined) return answer(request, response);
      if (this.statuses.length > 1) this.statuses.shift();
      request.resume();
      response.writeHead(status).end();
    });
  }

  static async start(answer: RequestListener): Promise<Service> {
    const service = new Service(answer);
    await service.listen((await lastingPorts(1))[0] as number);
    return service;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Every connection is reset, as where its process dies. */
  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async restart(): Promise<void> {
    const { port } = this;
    await this.stop();
    await sleep(DOWN_MS);
    await this.listen(port);
  }

  /** The last of these statuses stays. */
  answering =
    (...statuses: number[]): Refusal =>
    async () => {
      this.statuses = statuses;
      return async () => {
        this.statuses = [];
      };
    };

  private async listen(port: number): Promise<void> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
  }
}

/** How long a service is down that is started again. */
const DOWN_MS = 300;

/** A service that takes what it is told. */
async function webhook(): Promise<SinkFaultWorld> {
  const taken: number[] = [];
  const service = await Service.start(async (request, response) => {
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      return; // half a request
    }
    taken.push((JSON.parse(Buffer.concat(parts).toString()) as { n: number }).n);
    response.end();
  });
  const proxy = await proxyTo(service.port);
  const keyOf = (n: number) => n % 7;
  return {
    driver: httpSink({ attemptsMax: 4 }),
    sink: http.webhookSink<{ n: number }>({
      url: `http://127.0.0.1:${proxy.port}/hook?token=${SECRET}`,
      key: ({ n }) => String(keyOf(n)),
      timeout: millis(1_000),
    }) as Sink<never> as Sink<unknown>,
    openLedger: memoryLedgers(),
    value: (n) => ({ n }),
    keyOf,
    secret: SECRET,
    proxy,
    restart: () => service.restart(),
    refusedForNow: service.answering(503, 429),
    refusedForGood: service.answering(422),
    visible: async () => taken,
    async close() {
      await proxy.close();
      await service.stop();
    },
  };
}

export const sinks = { 'http.webhookSink': webhook };
export const sources = { 'http.pollSource': poll };
