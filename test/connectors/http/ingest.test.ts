import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { http, type IngestOptions } from '../../../connectors/http/index.js';
import { httpSource } from '../../../connectors/http/source.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import type { TopicProducer } from '../../../src/core/profile.js';
import type { Source } from '../../../src/core/source.js';
import { json, jsonSchema, text } from '../../../src/schema/index.js';
import { openWorld, type World } from '../../profiles/embedded/world.js';
import { certificate, key } from './certificate.js';
import { range } from './service.js';

interface Click {
  readonly user: string;
  readonly n: number;
}
const clicks = (options: Partial<IngestOptions<Click>> = {}): Source<unknown> =>
  http.ingestSource<Click>({ topic: 'clicks', schema: json<Click>(), port: 0, key: ({ user }) => user, ...options });

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
  delete process.env.TEST_TOKEN;
});

async function open(source = clicks(), wrap: (producer: TopicProducer) => TopicProducer = (producer) => producer) {
  const world = await openWorld();
  worlds.push(world);
  const { embedded } = world;
  const driver = httpSource({
    schemas: embedded.schemas,
    topics: embedded.source,
    producer: () => wrap(embedded.producer()),
    now: () => 77,
  });
  await driver.setUp?.(source);
  const partitions = await driver.partitions(source);
  const readers = await Promise.all(
    range(0, partitions).map((partition) =>
      driver.open(source, {
        task: { topology: 't', partition },
        partition,
        offset: EARLIEST,
        bounded: false,
        step: 'in',
      }),
    ),
  );
  const send = (body: string, headers: Record<string, string> = {}, method = 'POST') =>
    fetch(`http://127.0.0.1:${driver.portOf('clicks')}/`, { method, ...(method === 'GET' ? {} : { body }), headers });
  const stored = () => range(0, partitions).flatMap((p) => [...embedded.scan('clicks', p)]);
  return { world, driver, readers, send, stored };
}

const click = (n: number) => JSON.stringify({ user: `u${n % 5}`, n });

describe('http.ingestSource', () => {
  it('answers 202 once records are durable, whatever dies then', async () => {
    const { world, send } = await open();
    const answers = await Promise.all(range(0, 60).map((n) => send(n % 2 ? `[${click(n)}]` : click(n))));
    expect(answers.every(({ status }) => status === 202)).toBe(true);
    const lines = await send(range(60, 70).map(click).join('\n'), { 'content-type': 'application/x-ndjson' });
    expect([lines.status, await lines.json()]).toEqual([202, { accepted: 10 }]);
    await world.restart();
    const { embedded } = world;
    const kept = [...embedded.scan('clicks', 0)].map(({ value }) => JSON.parse(Buffer.from(value ?? []).toString()).n);
    expect(kept.sort((a, b) => a - b)).toEqual(range(0, 70));
  });

  it('gives tasks what it accepted, by key and partition', async () => {
    const { readers, send } = await open(clicks({ partitions: 3 }));
    await send(`[${range(0, 30).map(click).join(',')}]`);
    const polled = await Promise.all(readers.map((reader) => reader.poll(100)));
    const records = polled.flatMap(({ records: some }) => some);
    expect(records).toHaveLength(30);
    expect(records[0]).toMatchObject({ timestampMs: 77, key: expect.anything() });
    for (const { records: some } of polled) {
      const users = new Set(some.map(({ key }) => Buffer.from(key ?? []).toString()));
      for (const { records: others } of polled.filter(({ records: other }) => other !== some)) {
        expect(others.some(({ key }) => users.has(Buffer.from(key ?? []).toString()))).toBe(false);
      }
    }
    for (const reader of readers) await reader.close();
    await expect(send(click(1))).rejects.toThrow(); // the door is closed when no task reads
  });

  it('takes a request as a whole or not at all', async () => {
    const { send, stored } = await open(clicks({ key: ({ user }) => user.toLowerCase(), bytesMax: 1_000 }));
    const refusals: readonly [string, Record<string, string>, number][] = [
      ['[{"user":"a","n":1},{"n":2}]', {}, 422], // its key cannot be told
      ['not json', {}, 400],
      ['{"user":"a"}\nnot json', { 'content-type': 'application/x-ndjson' }, 422],
      [`[${range(0, 100).map(click).join(',')}]`, {}, 413],
    ];
    for (const [body, headers, status] of refusals) {
      const answer = await send(body, headers);
      expect([answer.status, await answer.json()]).toEqual([status, { error: expect.any(String) }]);
    }
    expect((await send('', {}, 'GET')).status).toBe(405);
    expect(stored()).toEqual([]);
  });

  it('is behind until it gave what lay in the topic when it was opened: such an input is slow, not quiet', async () => {
    const { driver, readers, send } = await open();
    await send(click(1));
    const source = clicks();
    const again = await driver.open(source, {
      task: { topology: 't', partition: 0 },
      partition: 0,
      offset: EARLIEST,
      bounded: false,
      step: 'in',
    });
    expect(again.isBehind).toBe(true);
    await again.poll(10);
    expect(again.isBehind).toBe(false);
    await again.close();
    for (const reader of readers) await reader.close();
  });

  it('asks for patience while too much is on its way, and takes the rest later', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = (producer: TopicProducer): TopicProducer => ({
      createTopic: (...args) => producer.createTopic(...args),
      append: (...args) => producer.append(...args),
      close: () => producer.close(),
      send: async (...args) => {
        await held;
        await producer.send(...args);
      },
    });
    const { send, stored } = await open(clicks({ pendingMax: 10 }), slow);
    const batch = (from: number) =>
      `[${range(from, from + 6)
        .map(click)
        .join(',')}]`;
    const first = send(batch(0));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = await send(batch(6));
    expect([second.status, second.headers.get('retry-after')]).toEqual([429, '1']);
    release();
    expect((await first).status).toBe(202);
    expect((await send(batch(6))).status).toBe(202);
    expect(stored()).toHaveLength(12);
  });

  it('says 503 where a record could not be stored, and does not say why to strangers', async () => {
    const broken = (producer: TopicProducer): TopicProducer => ({
      createTopic: (...args) => producer.createTopic(...args),
      append: (...args) => producer.append(...args),
      close: () => producer.close(),
      send: async () => {
        throw new Error('disk of host db-7 is full');
      },
    });
    const { send } = await open(clicks(), broken);
    const answer = await send(click(1));
    expect([answer.status, await answer.text()]).toEqual([503, '{"error":"it could not be stored"}']);
  });

  it('refuses for good what will never be records', async () => {
    const { send, stored } = await open(clicks({ bytesMax: 4 << 20, pendingMax: 100 }));
    const status = async (body: string | Uint8Array) => (await send(body as string)).status;
    expect(await status('['.repeat(1_000_000) + ']'.repeat(1_000_000))).toBe(400); // parsed, but never written again
    expect(await status(Buffer.from('{"user":"\xff"}', 'latin1'))).toBe(400); // it would come to lie there as another text
    expect(await status(`[${`${click(1)},`.repeat(50_000)}${click(1)}]`)).toBe(413); // more records than may be under way
    const answer = await send('x'.repeat(5 << 20)); // the answer is heard, although most was never read
    expect([answer.status, await answer.text()]).toEqual([413, '{"error":"more than 4194304 bytes"}']);
    expect(stored()).toEqual([]);
  });

  it('says which record has no key', async () => {
    const { send, stored } = await open();
    const answer = await send(`[${click(1)},{"n":2}]`);
    expect([answer.status, await answer.text()]).toEqual([422, '{"error":"record 1: the key is undefined, not text"}']);
    expect(stored()).toEqual([]);
  });

  it('refuses pages of other origins and other names, as long as there is no token', async () => {
    const { send } = await open(clicks());
    expect((await send(click(1), { origin: 'https://evil.example' })).status).toBe(403);
    expect((await send(click(1))).status).toBe(202);
  });

  it('lets in who bears the token', async () => {
    process.env.TEST_TOKEN = 'let me in';
    const { send } = await open(clicks({ tokenFrom: 'TEST_TOKEN' }));
    expect((await send(click(1))).status).toBe(401);
    expect((await send(click(1), { authorization: 'Bearer other' })).status).toBe(401);
    expect((await send(click(1), { authorization: 'Bearer let me in' })).status).toBe(202);
  });

  it('unpacks gzip, no further than a request may be long, and says what it does not unpack', async () => {
    const { send, stored } = await open(clicks({ bytesMax: 1_000 }));
    const packed = (text: string) => gzipSync(text) as unknown as string;
    const gzip = { 'content-encoding': 'gzip' };
    expect((await send(packed(click(1)), gzip)).status).toBe(202);
    expect((await send(packed(JSON.stringify('x'.repeat(100_000))), gzip)).status).toBe(413);
    expect((await send(click(2), gzip)).status).toBe(400);
    expect((await send(click(2), { 'content-encoding': 'br' })).status).toBe(415);
    expect(stored()).toHaveLength(1);
  });

  it('speaks HTTPS by the certificate that it is given, and says what is wrong with one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-ingest-'));
    const tls = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') };
    writeFileSync(tls.certificate, certificate);
    writeFileSync(tls.key, 'no key');
    const failure = await open(clicks({ tls })).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'config', permanent: true, message: expect.stringContaining('certificate') });
    writeFileSync(tls.key, key);
    const { driver, stored } = await open(clicks({ tls }));
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      request({ host: '127.0.0.1', port: driver.portOf('clicks'), method: 'POST', ca: certificate }, ({ statusCode }) =>
        resolve(statusCode),
      )
        .on('error', reject)
        .end(click(1));
    });
    expect(answer).toBe(202);
    expect(stored()).toHaveLength(1);
    rmSync(folder, { recursive: true });
  });

  it('says what is wrong with its options', () => {
    const messages = (source: Source<unknown>) => source.problems?.map(({ message }) => message);
    expect(messages(clicks())).toEqual([]);
    expect(messages(clicks({ host: '0.0.0.0', port: 70_000 }))).toEqual([
      'port is 70000',
      'anyone who can reach 0.0.0.0 may write',
    ]);
    expect(messages(clicks({ host: '0.0.0.0', tokenFrom: 'TOKEN' } as never))).toEqual([]);
    const schemaOf = (framing: 'none' | 'registry') => jsonSchema<never>({ subject: 's', definition: '{}', framing });
    expect(messages(clicks({ schema: schemaOf('none') } as never))).toEqual([]);
    expect(messages(clicks({ schema: schemaOf('registry') } as never))).toEqual(['json-schema in requests']);
    expect(messages(clicks({ schema: text({ subject: 's' }) } as never))).toEqual(['text in requests']);
  });
});
