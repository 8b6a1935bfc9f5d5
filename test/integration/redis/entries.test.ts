import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redis } from '../../../connectors/redis/index.js';
import { openRedis } from '../../../connectors/redis/open.js';
import { EARLIEST, type SourceReader } from '../../../src/core/index.js';
import type { OutgoingRecord, RawRecord } from '../../../src/core/record.js';
import type { Schema } from '../../../src/core/schema.js';
import { json, text } from '../../../src/schema/index.js';
import { sourceContract } from '../../../src/testing/source-contract.js';
import { address } from '../address.js';
import { ownRedis, range } from './world.js';

const { server, client, fresh } = ownRedis('e');

type Options = Partial<Parameters<typeof redis.streamSource<unknown>>[0]>;
const sourceOf = (stream: string, options: Options = {}) =>
  redis.streamSource<unknown>({ stream, schema: json<unknown>({ subject: 'any' }), ...options });

function open(
  stream: string,
  { offset = EARLIEST, sourceState = undefined as unknown, bounded = true, ...options } = {},
) {
  const source = sourceOf(stream, options as Options);
  return server.source.open(source, {
    task: { topology: 'any', partition: 0 },
    partition: 0,
    offset,
    bounded,
    step: 'in',
    sourceState,
  });
}

async function rest(reader: SourceReader, recordsMax = 1_000): Promise<{ records: RawRecord[]; skipped: number }> {
  const records: RawRecord[] = [];
  let skipped = 0;
  for (;;) {
    const polled = await reader.poll(recordsMax);
    records.push(...polled.records);
    skipped += polled.skipped ?? 0;
    if (polled.ended) break;
  }
  await reader.close();
  return { records, skipped };
}

const numbers = (records: readonly RawRecord[]) => records.map(({ value }) => Number(JSON.parse(String(value)).n));

async function add(stream: string, from: number, to: number): Promise<string[]> {
  const pipeline = client.pipeline();
  for (const n of range(from, to)) pipeline.xadd(stream, '*', 'n', String(n));
  return ((await pipeline.exec()) ?? []).map(([, id]) => String(id));
}

describe('keeps the contract of sources', () => {
  const fieldsOf = ({ key, value, headers = [] }: OutgoingRecord) =>
    [['key', key], ['payload', value], ...headers].flatMap(([name, bytes]) =>
      bytes === null ? [] : [name as string, Buffer.from(bytes as Uint8Array)],
    );
  const world = async () => {
    const stream = fresh();
    const sequences = new Map<string, number>();
    return {
      driver: server.source,
      source: sourceOf(stream, {
        partitions: 2,
        schema: text({ subject: 'any' }) as Schema<unknown>,
        field: 'payload',
        keyField: 'key',
      }),
      async append(partition: number, records: readonly OutgoingRecord[]) {
        const pipeline = client.pipeline();
        for (const record of records) {
          const n = (sequences.get(`${partition}/${record.timestampMs}`) ?? 0) + 1;
          sequences.set(`${partition}/${record.timestampMs}`, n);
          pipeline.xadd(`${stream}:${partition}`, `${record.timestampMs}-${n}`, ...fieldsOf(record));
        }
        for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
      },
      close: async () => undefined,
    };
  };
  for (const { name, run } of sourceContract(world)) it(name, run);
});

describe('redis.streamSource', () => {
  it('gives the fields of an entry as JSON, with the time in its id', async () => {
    const stream = fresh();
    await client.xadd(stream, '1700000000000-3', 'sku', 'ü-1', 'cents', '250', 'k', 'a');
    const { records } = await rest(await open(stream, { keyField: 'k' } as object));
    expect(records).toEqual([
      {
        offset: 0,
        timestampMs: 1_700_000_000_000,
        key: Buffer.from('a'),
        value: Buffer.from('{"sku":"ü-1","cents":"250","k":"a"}'),
      },
    ]);
  });

  it('goes on at the position of any checkpoint, through lost connections, trimming of what was read, and deletions', async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 13 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.nat({ max: 39 }), async (sizes, deleted) => {
        const stream = fresh();
        const ids = await add(stream, 0, 40);
        await client.xdel(stream, ids[deleted] as string);
        const seen: number[] = [];
        let at: { offset: number; sourceState: unknown } = { offset: EARLIEST, sourceState: undefined };
        for (let turn = 0; seen.length < 39; turn++) {
          const reader = await open(stream, { ...at, bounded: false, onDataLoss: 'earliest' } as object);
          const { records } = await reader.poll(sizes[turn % sizes.length] as number);
          if (turn % 3 === 0) await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
          const more = await reader.poll(2);
          const all = [...records, ...more.records];
          for (let i = 1; i < all.length; i++) expect(all[i]?.offset).toBeGreaterThan(all[i - 1]?.offset as number);
          seen.push(...numbers(all));
          const offset = (all.at(-1)?.offset as number) + 1;
          at = { offset, sourceState: JSON.parse(JSON.stringify(reader.sourceStateOf?.(offset))) };
          await reader.close();
          if (seen.length < 39) await client.xtrim(stream, 'MINID', ids[seen.at(-1) as number] as string);
        }
        expect(seen).toEqual(range(0, 40).filter((n) => n !== deleted));
      }),
      { numRuns: 5 },
    );
  });

  it('says what is gone, and goes on where it is told', async () => {
    const stream = fresh();
    const ids = await add(stream, 0, 50);
    const at = { offset: 10, sourceState: { id: ids[9] } };
    await client.xtrim(stream, 'MAXLEN', 20);
    await expect(rest(await open(stream, at))).rejects.toMatchObject({
      code: 'source',
      permanent: true,
      message: expect.stringContaining('20 entries were trimmed'),
      hint: expect.stringContaining('onDataLoss'),
    });
    const earliest = await rest(await open(stream, { ...at, onDataLoss: 'earliest' } as object));
    expect([numbers(earliest.records), earliest.skipped]).toEqual([range(30, 50), 20]);
    expect(earliest.records.map(({ offset }) => offset)).toEqual(range(30, 50));
    const latest = await rest(await open(stream, { ...at, onDataLoss: 'latest' } as object));
    expect([latest.records, latest.skipped]).toEqual([[], 40]);
    await client.xtrim(stream, 'MAXLEN', 0);
    await expect(rest(await open(stream, at))).rejects.toThrow('40 entries were trimmed');
    expect(numbers((await rest(await open(stream))).records)).toEqual([]);
  });

  it('ends where entries behind a checkpoint were deleted, since those after them would have other numbers', async () => {
    const stream = fresh();
    const ids = (await add(stream, 0, 30)) as [string, ...string[]];
    const at = { offset: 10, sourceState: { id: ids[9] } };
    await client.xdel(stream, ids[4] as string, ids[9] as string);
    const behind = await rest(await open(stream, at));
    expect(behind.records.map(({ offset }) => offset)).toEqual(range(10, 30));
    await client.xdel(stream, ids[20] as string);
    await expect(rest(await open(stream, at))).rejects.toMatchObject({
      code: 'source',
      permanent: true,
      message: expect.stringContaining(`deleted, up to ${ids[20]}`),
      hint: expect.stringContaining('onDataLoss'),
    });
    const latest = await rest(await open(stream, { ...at, onDataLoss: 'latest' } as object));
    expect([latest.records, latest.skipped]).toEqual([[], 20]);
    const earliest = await rest(await open(stream, { ...at, onDataLoss: 'earliest' } as object));
    expect([numbers(earliest.records), earliest.skipped]).toEqual([range(10, 30).filter((n) => n !== 20), 1]);
    await client.xtrim(stream, 'MINID', ids[21] as string);
    const trimmed = await rest(await open(stream, { ...at, onDataLoss: 'earliest' } as object));
    expect(trimmed.records.map(({ offset }) => offset)).toEqual(range(21, 30));
  });

  it('notices a deletion that overtakes it while it reads', async () => {
    const stream = fresh();
    const ids = await add(stream, 0, 100);
    const reader = await open(stream, { bounded: false });
    expect(numbers((await reader.poll(10)).records)).toEqual(range(0, 10));
    await client.xdel(stream, ids[5] as string);
    expect((await reader.poll(10)).records.map(({ offset }) => offset)).toEqual(range(10, 20));
    await client.xdel(stream, ids[30] as string);
    await expect(reader.poll(10)).rejects.toThrow('were deleted');
    await reader.close();
  });

  it('notices a trimming that overtakes it while it reads', async () => {
    const stream = fresh();
    await add(stream, 0, 100);
    const reader = await open(stream, { bounded: false });
    expect(numbers((await reader.poll(10)).records)).toEqual(range(0, 10));
    await client.xtrim(stream, 'MAXLEN', 80);
    await expect(reader.poll(10)).rejects.toThrow('10 entries were trimmed');
    await reader.close();
  });

  it('counts what was ever added, so that an entry has the same offset whatever was trimmed before', async () => {
    const stream = fresh();
    await add(stream, 0, 30);
    await client.xtrim(stream, 'MAXLEN', 10);
    const { records } = await rest(await open(stream), 3);
    expect(records.map(({ offset }) => offset)).toEqual(range(20, 30));
    expect(numbers(records)).toEqual(range(20, 30));
  });

  it('refuses a stream that was deleted and made again', async () => {
    const stream = fresh();
    const ids = await add(stream, 0, 5);
    await client.del(stream);
    const at = { offset: 5, sourceState: { id: ids[4] }, onDataLoss: 'earliest' } as object;
    await expect(open(stream, at)).rejects.toMatchObject({ code: 'source', permanent: true });
    await add(stream, 0, 3);
    await expect(open(stream, at)).rejects.toMatchObject({ code: 'source', permanent: true });
  });

  it('is awake as soon as an entry comes', async () => {
    const stream = fresh();
    const reader = await open(stream, { bounded: false });
    const waiting = reader.poll(10);
    await add(stream, 0, 1);
    expect(numbers((await waiting).records)).toEqual([0]);
    await reader.close();
  });

  it('refuses a key that holds something else', async () => {
    const key = fresh();
    await client.set(key, 'text');
    await expect(open(key)).rejects.toMatchObject({ code: 'source', hint: expect.stringContaining('another kind') });
  });
});

it.each([
  ['-multi', 'multi'],
  ['-exec', 'exec'],
  ['-xinfo', 'xinfo'],
])('is refused at once to a user with %s, with what it lacks', async (rule, lacks) => {
  const stream = fresh();
  await add(stream, 0, 3);
  await client.acl('SETUSER', stream, 'reset', 'on', '>secret', '~*', '&*', '+@all', rule);
  const url = new URL(address('MILLRACE_REDIS').split(',')[0] as string);
  url.username = stream;
  url.password = 'secret';
  const theirs = openRedis({ url: url.href });
  const task = { topology: 'any', partition: 0 };
  const opening = theirs.source.open(sourceOf(stream), {
    task,
    partition: 0,
    offset: EARLIEST,
    bounded: true,
    step: 'in',
  });
  const error: unknown = await opening.catch((cause: unknown) => cause);
  expect(error).toMatchObject({ permanent: true, message: expect.stringMatching(new RegExp(`NOPERM.*'${lacks}`)) });
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('secret');
  await theirs.close();
  await client.acl('DELUSER', stream);
});
