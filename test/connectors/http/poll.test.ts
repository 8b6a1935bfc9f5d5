import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { http, type PollOptions } from '../../../connectors/http/index.js';
import type { Poll } from '../../../connectors/http/kinds.js';
import { PollReader } from '../../../connectors/http/poll-source.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import { millis, type Source } from '../../../src/core/index.js';
import { json, text } from '../../../src/schema/index.js';
import { newService, range } from './service.js';

interface Page {
  readonly items: readonly { readonly id: number }[];
}

const source = (url: string, options: Partial<PollOptions<unknown>> = {}): Source<unknown> =>
  http.pollSource<unknown>({
    url,
    schema: json<unknown>(),
    eventTime: () => 0,
    items: (page: Page) => page.items,
    cursor: { param: 'after', next: (page: Page) => page.items.at(-1)?.id },
    every: millis(10),
    perSecondMax: 10_000,
    ...options,
  });

const open = (polled: Source<unknown>, from: { offset?: number; sourceState?: unknown; bounded?: boolean } = {}) => {
  const { offset = EARLIEST, sourceState, bounded = true } = from;
  const kept = sourceState === undefined ? undefined : JSON.parse(JSON.stringify(sourceState));
  return new PollReader(polled.options as Poll, { offset, sourceState: kept, bounded });
};

/** Items after an id, at most so many; the service may know more later. */
const shop = (items: number[], pageMax: number) =>
  newService(({ path }, response) => {
    const after = Number(new URL(path, 'http://x').searchParams.get('after') ?? -1);
    const found = items.filter((id) => id > after).slice(0, pageMax);
    response.end(JSON.stringify({ items: found.map((id) => ({ id })) }));
  });

const idsOf = (records: readonly { readonly value: Uint8Array | null }[]) =>
  records.map(({ value }) => (JSON.parse(Buffer.from(value ?? []).toString()) as { id: number }).id);

async function read(reader: PollReader, countMax = Number.POSITIVE_INFINITY, pollMax = 5) {
  const ids: number[] = [];
  for (let polls = 0; polls < 500 && ids.length < countMax; polls++) {
    const { records, ended } = await reader.poll(Math.min(pollMax, countMax - ids.length));
    ids.push(...idsOf(records));
    if (ended) break;
  }
  return ids;
}

describe('http.pollSource', () => {
  it('gives nothing twice where the request for the next page fails', async () => {
    let requests = 0;
    const service = await newService(({ path }, response) => {
      requests += 1;
      if (requests % 2 === 0) return response.destroy();
      const after = Number(new URL(path, 'http://x').searchParams.get('after') ?? -1);
      return response.end(JSON.stringify({ items: range(after + 1, Math.min(after + 4, 10)).map((id) => ({ id })) }));
    });
    expect(await read(open(source(service.url)))).toEqual(range(0, 10));
  });

  it('reads every item once, page by page, and goes on at any item by its source state', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 25 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 9 }),
        async (count, pageMax, pollMax) => {
          const items = range(0, count);
          const { url } = await shop(items, pageMax);
          const reader = open(source(url));
          const states: unknown[] = [];
          const ids: number[] = [];
          for (;;) {
            const { records, ended } = await reader.poll(pollMax);
            for (const { offset } of records) states.push(reader.sourceStateOf(offset + 1));
            ids.push(...idsOf(records));
            if (ended) break;
          }
          expect(ids).toEqual(items);
          items.push(count, count + 1);
          for (const offset of new Set([1, Math.ceil(count / 2), count])) {
            if (offset < 1 || offset > count) continue;
            const rest = open(source(url), { offset, sourceState: states[offset - 1] });
            expect(await read(rest)).toEqual(items.slice(offset));
          }
          expect(await read(open(source(url), { offset: Math.min(2, count) }))).toEqual(
            items.slice(Math.min(2, count)),
          );
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is behind until it has seen the end of what is there: such an input is slow, not quiet', async () => {
    const { url } = await shop([0, 1, 2], 2);
    const reader = open(source(url), { bounded: false });
    await read(reader, 3);
    expect(reader.isBehind).toBe(true);
    expect(await reader.poll(1)).toEqual({ records: [], ended: false }); // returns, however often it asks
    expect(reader.isBehind).toBe(false);
    await reader.close();
  });

  it('asks again where pages end, also where the last one grows', async () => {
    const items = [0, 1];
    const growing = await newService((_, response) =>
      response.end(JSON.stringify({ items: items.map((id) => ({ id })) })),
    );
    const { cursor: _, ...unpaged } = source(growing.url).options as Poll;
    const reader = open({ ...source(growing.url), options: { ...unpaged, cursor: undefined } }, { bounded: false });
    expect(await read(reader, 2)).toEqual([0, 1]);
    items.push(2, 3);
    expect(await read(reader, 2)).toEqual([2, 3]);
    expect(reader.sourceStateOf(3)).toMatchObject({ skip: 3 });
    items.shift(); // only the newest are kept: what came in between could not be told
    await expect(read(reader)).rejects.toMatchObject({ code: 'source', permanent: true });
    await reader.close();
    expect(await reader.poll(1)).toEqual({ records: [], ended: true });
  });

  it('is patient with a service that stumbles, and waits as long as it is told', async () => {
    let asked = 0;
    const service = await newService((_, response) => {
      asked += 1;
      if (asked === 1) return response.destroy();
      if (asked === 2) return response.writeHead(503).end();
      if (asked === 3) return response.writeHead(429, { 'retry-after': '1' }).end();
      return response.end('{"items":[{"id":1}]}');
    });
    const before = Date.now();
    const reader = open(source(service.url));
    expect(await read(reader, 1)).toEqual([1]);
    expect(Date.now() - before).toBeGreaterThanOrEqual(1_000);
  });

  it('does not wait a year for a service that asks for it', async () => {
    let asked = 0;
    const service = await newService((_, response) => {
      asked += 1;
      if (asked === 1) return response.writeHead(503, { 'retry-after': '31536000' }).end();
      return response.end('{"items":[{"id":1}]}');
    });
    const patience = { timeoutMs: 1_000, attemptsMax: 2, retryAfterMaxMs: 200 };
    const from = { offset: EARLIEST, sourceState: undefined, bounded: true };
    const reader = new PollReader(source(service.url).options as Poll, from, patience);
    expect(await read(reader, 1)).toEqual([1]);
    await reader.close();
  });

  it('tells of an answer that is no JSON what it is, not what it says', async () => {
    const service = await newService((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>token=secret</html>'),
    );
    const patience = { timeoutMs: 1_000, attemptsMax: 2, retryAfterMaxMs: 1_000 };
    const reader = new PollReader(
      source(service.url).options as Poll,
      { offset: 0, sourceState: undefined, bounded: true },
      patience,
    );
    await expect(read(reader)).rejects.toMatchObject({
      message: 'status 200 and a body that is not JSON (text/html)',
      permanent: false, // it may be the page of a proxy
    });
  });

  it('asks no more often than it may', async () => {
    const { url, heard } = await shop(range(0, 6), 1);
    const before = Date.now();
    expect(await read(open(source(url, { perSecondMax: 20 })))).toEqual(range(0, 6));
    expect(Date.now() - before).toBeGreaterThanOrEqual((heard.length - 2) * 50);
  });

  it('stops where the service refuses, answers strangely, or has other items than before', async () => {
    const refusing = await newService((_, response) => response.writeHead(403).end());
    const strange = await newService((_, response) => response.end('{"no":"items"}'));
    const long = await shop(range(0, 100), 100);
    // What the headers hold is not taken to another address.
    const moved = await newService((_, response) => response.writeHead(307, { location: long.url }).end());
    for (const polled of [
      source(refusing.url),
      source(moved.url),
      source(strange.url),
      source(long.url, { bytesMax: 50 }),
    ]) {
      await expect(read(open(polled))).rejects.toMatchObject({ code: 'source', permanent: true });
    }
    const items = range(0, 4);
    const { url } = await shop(items, 10);
    const reader = open(source(url));
    await read(reader, 3);
    const sourceState = reader.sourceStateOf(3);
    items[1] = 77;
    await expect(read(open(source(url), { offset: 3, sourceState }))).rejects.toMatchObject({
      code: 'source',
      permanent: true,
    });
  });

  it('says what is wrong with its options, and nothing that may be secret', () => {
    const odd = source('https://shop.example/orders?token=hidden', { schema: text() as never, perSecondMax: 0 });
    expect(odd.problems?.map(({ message }) => message)).toEqual(['perSecondMax is 0', 'text for items of JSON']);
    expect(JSON.stringify([odd.topic, odd.settings])).not.toContain('hidden');
  });

  it('is another input where the query is another one', () => {
    const of = (query: string) => source(`https://shop.example/orders${query}`).topic;
    expect(of('')).toBe('https://shop.example/orders');
    expect(of('?state=open')).toBe(of('?state=open'));
    expect(of('?state=open')).not.toBe(of('?state=paid'));
  });
});
