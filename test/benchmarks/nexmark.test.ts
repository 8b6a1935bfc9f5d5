import { describe, expect, it } from 'vitest';
import { lapsOf, NexmarkLog } from '../../benchmarks/peers/nexmark-log.js';
import { compareRows, rowsOf } from '../../benchmarks/peers/nexmark-rows.js';
import type { Query } from '../../benchmarks/peers/order.js';
import { AuctionV1 } from '../../schemas/nexmark/auction.js';
import type { RawRecord } from '../../src/core/index.js';
import { partitionOf } from '../../src/core/partition.js';
import { localRegistry, openCodec } from '../../src/schema/index.js';

const PARTITIONS = 4;
const LAPS = 2;

describe('the log of Nexmark', () => {
  it('has new auctions in each lap, by key, up to two seconds late, and closes all windows at the end', async () => {
    const codec = await openCodec(AuctionV1, localRegistry());
    const log = await NexmarkLog.open();
    const auctions = [...log.parts('auctions', LAPS, PARTITIONS)].flatMap(({ partition, records }) =>
      records.map(({ key, value }) => ({ partition, key: key as Uint8Array, ...codec.decode(value as Uint8Array) })),
    );
    const last = auctions.splice(-PARTITIONS);
    expect(new Set(auctions.map(({ id }) => id)).size).toBe(LAPS * 6_000);
    const furthestMs = new Array<number>(PARTITIONS).fill(0);
    let late = 0;
    for (const { partition, key, id, dateTime } of auctions) {
      expect([Buffer.from(key).toString(), partitionOf(key, PARTITIONS)]).toEqual([String(id), partition]);
      const before = furthestMs[partition] as number;
      expect(dateTime).toBeGreaterThanOrEqual(before - 2_000);
      if (dateTime < before) late += 1;
      furthestMs[partition] = Math.max(before, dateTime);
    }
    expect(late).toBeGreaterThan(100);
    expect(last.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
    for (const { dateTime, category } of last) {
      expect(dateTime).toBeGreaterThan(Math.max(...furthestMs) + 60_000);
      expect(category).not.toBe(10);
    }
  });

  it('has as many laps as hold the records', () => {
    expect([lapsOf(92_000, ['bids']), lapsOf(92_001, ['bids']), lapsOf(16_000, ['persons', 'auctions'])]).toEqual([
      1, 2, 2,
    ]);
  });
});

describe('the rows of a query', () => {
  const rows = (work: Query, values: readonly string[]) =>
    rowsOf(
      {
        read: async (_topic, each) => {
          for (const value of values)
            each({ offset: 0, timestampMs: 0, key: null, value: Buffer.from(value) } satisfies RawRecord);
          return values.length;
        },
      },
      { work, output: 'out' },
    );
  const hottest = (endMs: number, most: number, keys: readonly (string | number)[]) =>
    JSON.stringify({ endMs, hottest: { most, values: keys.map((key) => ({ key, bids: most })) } });

  it('are compared as numbers, whatever their order', async () => {
    const ours = await rows('q1', ['{"price":908}', '{"price":1}']);
    expect(compareRows(await rows('q1', ['{"price":1.0}', '{"price":9.08E2}']), ours)).toBe('2 rows alike');
    const other = await rows('q1', ['{"price":1}', '{"price":909}']);
    expect(() => compareRows(other, ours)).toThrow('final rows');
  });

  it('are the last ones of each window, where a stream corrects what it has said', async () => {
    const ours = await rows('q5', [hottest(2_000, 7, [1, 2]), hottest(4_000, 5, [3])]);
    const corrections = [hottest(2_000, 6, [9]), hottest(4_000, 5, [3]), hottest(2_000, 7, ['2', '1'])];
    expect(compareRows(await rows('q5', corrections), ours)).toBe('2 rows alike');
    const uncorrected = await rows('q5', corrections.slice(0, 2));
    expect(() => compareRows(uncorrected, ours)).toThrow('final rows');
  });
});
