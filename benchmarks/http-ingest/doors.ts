import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { IngestServer } from '../../connectors/http/ingest-server.js';
import type { Ingest } from '../../connectors/http/kinds.js';
import type { TopicProducer } from '../../src/core/profile.js';
import { json, type WireCodec } from '../../src/schema/index.js';

/** Where records are posted to. */
export interface Door {
  readonly port: number;
  close(): Promise<unknown>;
}

export const BYTES_MAX = 8 * 2 ** 20;
const PENDING_MAX = 10_000;

const producer: TopicProducer = {
  createTopic: async () => undefined,
  send: async () => undefined,
  close: async () => undefined,
} as unknown as TopicProducer;

/** As the connector has it. */
export function openIngest(codec: WireCodec<unknown>): Promise<Door> {
  const options: Ingest = {
    topic: 'in',
    schema: json<unknown>(),
    key: undefined,
    port: 0,
    host: '127.0.0.1',
    tokenFrom: undefined,
    tls: undefined,
    partitions: 1,
    pendingMax: PENDING_MAX,
    bytesMax: BYTES_MAX,
  };
  return IngestServer.open({ options, codec, producer, token: undefined, now: () => 0 });
}

/** The same work as a route, with the limits that fastify has itself. */
export async function openFastify(codec: WireCodec<unknown>): Promise<Door> {
  const server = fastify({ bodyLimit: BYTES_MAX, requestTimeout: 30_000 });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  let pending = 0;
  server.post('/', async (request, reply) => {
    const parsed = JSON.parse(String(request.body)) as unknown;
    const values = Array.isArray(parsed) ? parsed : [parsed];
    if (pending > 0 && pending + values.length > PENDING_MAX) return reply.code(429).send({ error: 'too much' });
    const records = values.map((value) => {
      const bytes = Buffer.from(JSON.stringify(value));
      codec.decode(bytes);
      return { key: null, value: bytes, timestampMs: 0 };
    });
    pending += records.length;
    await producer.send('in', records);
    pending -= records.length;
    return reply.code(202).send({ accepted: records.length });
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  return { port: (server.server.address() as AddressInfo).port, close: () => server.close() };
}
