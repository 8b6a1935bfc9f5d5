import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { CallText } from '../../../connectors/redis/fenced.js';
import { type Call, FencedWriter, type MakeCalls } from '../../../connectors/redis/fenced-writer.js';
import { slotsOf } from '../../../connectors/redis/script-calls.js';
import { tagOf } from '../../../connectors/redis/server/hash-slot.js';
import { type Structure, structureOf } from '../../../connectors/redis/structures.js';
import { MillraceError, minutes } from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';

interface Id {
  readonly id: number;
}
const options = { key: (value: unknown) => `k:${(value as Id).id}`, ttl: minutes(1) };
const hashes = structureOf('redis.hashSink', options) as Structure;
const context = { step: 'online', task: { topology: 'flights', partition: 3 }, incarnation: 2 };

function open(
  answer: (call: number) => number | Promise<number> = () => 0,
  structure: Structure = hashes,
  isCluster = false,
) {
  const calls: Call[] = [];
  let underWay = 0;
  let underWayMax = 0;
  const makeCalls: MakeCalls = async (some) => {
    underWayMax = Math.max(underWayMax, ++underWay);
    calls.push(...some);
    try {
      await sleep(1);
      return [await answer(calls.length)];
    } finally {
      underWay--;
    }
  };
  const writer = new FencedWriter(structure, context, slotsOf(isCluster), makeCalls);
  return { writer, calls, underWayMax: () => underWayMax };
}

const textOf = ([text]: Call['args']) => JSON.parse(String(text)) as CallText;

const values = (from: number, to: number, keys = 1_000_000) =>
  Array.from({ length: to - from }, (_, i) => ({ id: (from + i) % keys, n: from + i }));
const origins = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => originAt(from + i));

describe('FencedWriter', () => {
  it('sends the fence, the keys, and what each record needs', async () => {
    const { writer, calls } = open();
    await writer.write([{ id: 1, late: 0.5, none: null }, { id: 2 }], [originAt(7), originAt(7)]);
    await writer.prepare();
    expect(calls).toEqual([
      {
        keys: ['millrace:fence:flights:online:3', 'k:1', 'k:2'],
        args: [
          JSON.stringify({
            incarnation: 2,
            topic: 'contract',
            ttl: 60_000,
            limit: 0,
            how: '',
            rows: [
              [7, 0, 'id', '1', 'late', '0.5'],
              [7, 1, 'id', '2'],
            ],
          }),
        ],
      },
    ]);
  });

  it('makes one call at a time, of a bounded size, and asks to wait when much is waiting', async () => {
    const { writer, calls, underWayMax } = open();
    expect(writer.write(values(0, 2_500), origins(0, 2_500))).toBeUndefined();
    const wait = writer.write(values(2_500, 12_000), origins(2_500, 12_000));
    expect(wait).toBeInstanceOf(Promise);
    await wait;
    await writer.prepare();
    expect(underWayMax()).toBe(1);
    expect(Math.max(...calls.map(({ keys }) => keys.length))).toBeLessThanOrEqual(1_001);
    expect(calls.flatMap(({ keys }) => keys.slice(1))).toEqual(values(0, 12_000).map(({ id }) => `k:${id}`));
  });

  it('sends the last value of a key that one call has several of', async () => {
    const { writer, calls } = open();
    await writer.write(values(0, 10, 3), origins(0, 10));
    await writer.prepare();
    expect(calls.flatMap(({ keys }) => keys.slice(1))).toEqual(['k:1', 'k:2', 'k:0']); // of records 7, 8 and 9
  });

  it('sends every record of a key where records add up', async () => {
    const { writer, calls } = open(undefined, { ...hashes, replaces: false });
    await writer.write(values(0, 10, 3), origins(0, 10));
    await writer.prepare();
    expect(calls.flatMap(({ keys }) => keys.slice(1))).toEqual(values(0, 10, 3).map(({ id }) => `k:${id}`));
  });

  it('makes a call for each slot of a cluster, with a fence in that slot', async () => {
    const tagged = {
      ...hashes,
      key: (value: unknown) => `{${(value as Id).id % 2 ? 'odd' : 'even'}}:${(value as Id).id}`,
    };
    const { writer, calls } = open(undefined, tagged, true);
    await writer.write(values(0, 4), origins(0, 4));
    await writer.prepare();
    expect(calls.map(({ keys }) => keys)).toEqual([
      [`millrace:fence:{${tagOf(13_960)}}:flights:online:3`, '{even}:0', '{even}:2'],
      [`millrace:fence:{${tagOf(7_318)}}:flights:online:3`, '{odd}:1', '{odd}:3'],
    ]);
  });

  it('makes no call longer than Redis likes where records are wide', async () => {
    const wide = { ...hashes, strings: () => Array.from({ length: 1_000 }, () => 'x') };
    const { writer, calls } = open(undefined, wide);
    await writer.write(values(0, 500), origins(0, 500));
    await writer.prepare();
    expect(Math.max(...calls.map(({ args }) => textOf(args).rows.flat().length))).toBeLessThan(102_000);
    expect(calls.flatMap(({ args }) => textOf(args).rows)).toHaveLength(500);
  });

  it('does not mix topics in a call: each has a fence of its own', async () => {
    const { writer, calls } = open();
    const other = origins(0, 2).map((origin) => ({ ...origin, topic: 'other' }));
    await writer.write(values(0, 4), [...origins(0, 2), ...other]);
    await writer.prepare();
    expect(calls.map(({ args }) => textOf(args).topic)).toEqual(['contract', 'other']);
  });

  it('tells of a failure when preparing and when writing on, and makes no further call', async () => {
    const { writer, calls } = open((call) => {
      if (call === 2) throw new Error('gone');
      return 0;
    });
    writer.write(values(0, 3_000), origins(0, 3_000));
    await expect(writer.prepare()).rejects.toThrow('gone');
    expect(() => writer.write(values(3_000, 3_001), origins(3_000, 3_001))).toThrow('gone');
    await writer.close();
    expect(calls.length).toBe(2);
  });

  it('stops where a newer incarnation has written', async () => {
    const { writer } = open(() => -1);
    writer.write(values(0, 1), origins(0, 1));
    const error = await writer.prepare().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MillraceError);
    expect(error).toMatchObject({ code: 'fenced', where: 'online' });
  });
});
