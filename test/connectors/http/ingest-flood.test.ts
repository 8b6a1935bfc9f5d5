import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { http } from '../../../connectors/http/index.js';
import { linesOf, NotJson, type RecordTexts, valuesOf } from '../../../connectors/http/ingest-body.js';
import { IngestServer } from '../../../connectors/http/ingest-server.js';
import type { OutgoingRecord } from '../../../src/core/record.js';
import { json, localRegistry, openDecoder } from '../../../src/schema/index.js';
import { longestTurn } from '../../turns.js';

const MIB = 2 ** 20;

const servers: IngestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** A door whose store takes what it is given when it is told to. */
async function open(bytesMax = 8 * MIB) {
  const { options } = http.ingestSource({ topic: 'in', schema: json<unknown>(), port: 0, bytesMax });
  const waiting: (() => void)[] = [];
  const world = {
    /** Bytes of records that are given to the store and not yet durable. */
    storing: 0,
    isStoring: false,
    store() {
      world.isStoring = true;
      for (const go of waiting.splice(0)) go();
    },
  };
  const server = await IngestServer.open({
    options: options as never,
    codec: await openDecoder(json<unknown>(), localRegistry()),
    producer: {
      async send(_topic: string, records: readonly OutgoingRecord[]) {
        const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
        world.storing += bytes;
        if (!world.isStoring) await new Promise<void>((resolve) => waiting.push(resolve));
        world.storing -= bytes;
      },
      close: async () => undefined,
    } as never,
    token: undefined,
    now: () => 0,
  });
  servers.push(server);
  const post = (body: Buffer, headers: Readonly<Record<string, string>> = {}) =>
    new Promise<{ status: number | undefined; retryAfter: string | undefined }>((resolve, reject) => {
      const to = { port: server.port, method: 'POST', headers: { 'content-length': body.length, ...headers } };
      request(to, (response) => {
        response.resume();
        response.once('end', () =>
          resolve({ status: response.statusCode, retryAfter: response.headers['retry-after'] }),
        );
      })
        .once('error', reject)
        .end(body);
    });
  return { world, post };
}

const gzip = { 'content-encoding': 'gzip' };

describe('a flood of requests', () => {
  it('holds no more than a bound, whatever they unpack to, and asks the rest to come again', async () => {
    const { world, post } = await open(MIB);
    const bomb = gzipSync(JSON.stringify('x'.repeat(MIB - 100)));
    expect(bomb.length).toBeLessThan(2_000);
    const answers = Array.from({ length: 40 }, () => post(bomb, gzip));
    // The store is stuck until those that found no room have been told so.
    const refused = await Promise.any(answers);
    expect(refused).toEqual({ status: 429, retryAfter: '1' });
    expect(world.storing).toBeGreaterThan(8 * MIB);
    expect(world.storing).toBeLessThanOrEqual(16 * MIB);
    world.store();
    const all = await Promise.all(answers);
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([202, 429]));
    expect((await post(bomb, gzip)).status).toBe(202); // the room has been given back
  });

  it('is unpacked no further than one request may be long', async () => {
    const { post } = await open();
    expect((await post(gzipSync(Buffer.alloc(64 * MIB, ' ')), gzip)).status).toBe(413);
  });

  it.each([
    ['a list of four million numbers', `[${'1,'.repeat(4 * MIB - 10)}1]`, 'application/json', 413],
    ['eight million blank lines', '\n'.repeat(8 * MIB - 10), 'application/x-ndjson', 202],
    ['a list that never ends', `[${'"x",'.repeat(2_000)}`.padEnd(8 * MIB - 10), 'application/json', 400],
    ['brackets', '['.repeat(8 * MIB - 10), 'application/json', 400],
  ])('does not hold the loop: %s', async (_, body, type, status) => {
    const { world, post } = await open();
    world.store();
    const packed = gzipSync(body);
    const turn = longestTurn();
    expect((await post(packed, { ...gzip, 'content-type': type })).status).toBe(status);
    expect(turn.stop()).toBeLessThan(1_000); // of CPU; it takes some 30, and took 5,000 for the list
  });
});

const textsOf = (texts: RecordTexts): string[] =>
  [...texts].flatMap((text) => (text === undefined ? [] : [String(text)]));

describe('the records of a body', () => {
  it('are the values of a list as they are written, or the one value', () => {
    const body = Buffer.from(' [ {"a": "x,]\\"["} , [1,[2]],\n"é",null ] \n');
    expect(textsOf(valuesOf(body))).toEqual(['{"a": "x,]\\"["}', '[1,[2]]', '"é"', 'null']);
    expect(textsOf(valuesOf(Buffer.from('[ ]')))).toEqual([]);
    expect(textsOf(valuesOf(Buffer.from(' 12 ')))).toEqual(['12']);
    expect(textsOf(valuesOf(Buffer.from('{"a":[1,2]}')))).toEqual(['{"a":[1,2]}']);
  });

  it.each(['[1,]', '[,1]', '[', '[1', '[1]2', '[1}', '"[', '[1,,2]'])('cannot be told of %s', (text) => {
    expect(() => textsOf(valuesOf(Buffer.from(text)))).toThrow(NotJson);
  });

  it('are the lines of NDJSON that are not blank', () => {
    expect(textsOf(linesOf(Buffer.from('1\n\n  \r\n {"a":2} \r\n3')))).toEqual(['1', '{"a":2}', '3']);
  });
});
