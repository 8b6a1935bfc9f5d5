import { gzipSync } from 'node:zlib';
import { Encoder } from '@toondepauw/node-zstd';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { compress, decompress, TooLarge } from '../../../connectors/kafka/protocol/compression.js';
import { lz4SizeMax, snappySize, zstdSizeMax } from '../../../connectors/kafka/protocol/decompressed-size.js';
import { at, dataBatch, rangeOf, recordsOf, sectionOf, text } from './batches.js';
import { lz4OfBlocks, snappyOf, zstdOfRuns } from './bombs.js';

const MIB = 1024 * 1024;

describe('bombs', () => {
  it.each([
    ['gzip', 1, gzipSync(Buffer.alloc(129 * MIB), { level: 1 })],
    ['snappy', 2, snappyOf(200 * MIB)],
    [
      'snappy in blocks',
      2,
      Buffer.concat([
        Buffer.from('82534e41505059000000000100000001', 'hex'),
        ...Array(3).fill(Buffer.concat([Buffer.from([0, 0, 0, 6]), snappyOf(2 ** 31)])),
      ]),
    ],
    ['lz4', 3, lz4OfBlocks(200)],
    ['zstd', 4, zstdOfRuns(100_000)],
  ])('of %s are refused, and never go off', (_, codec, bytes) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decompress(codec, bytes, 'topic/0')).toThrow(TooLarge);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(96 * MIB);
  });

  it('are passed over as one refused record, and what lies behind them is read', () => {
    const bomb = at(1, sectionOf(dataBatch(0, ['a', 'b', 'c']), 4, zstdOfRuns(100_000)));
    const records = recordsOf(rangeOf([dataBatch(0, ['before']), bomb, dataBatch(4, ['after'])]));
    expect(records.map(({ offset, value, refusal }) => [offset, text(value), refusal?.reason])).toEqual([
      [0, 'before', undefined],
      [3, null, 'batch-too-large'], // behind its last record reading goes on
      [4, 'after', undefined],
    ]);
    expect(records[1]?.refusal?.detail).toContain('a batch of 3 records, offsets 1 to 3');
  });

  it('are told from large batches by their size alone', () => {
    const large = Buffer.alloc(60 * MIB, 'a value that says itself again and again');
    for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const { codec, bytes } = compress(compression, large);
      expect(decompress(codec, bytes, 'topic/0').length).toBe(large.length);
    }
  });
});

describe('what comes out of compressed bytes at most', () => {
  it.each([0, 1, 1_000, 300_000, 5 * MIB])('of %i bytes', (size) => {
    const bytes = Buffer.alloc(size, 'abcdefg');
    expect(snappySize(compressSync(bytes))).toBe(size);
    const frame = compressFrameSync(bytes);
    expect(lz4SizeMax(frame)).toBeGreaterThanOrEqual(size);
    expect(lz4SizeMax(frame)).toBeLessThanOrEqual(size + 4 * MIB);
    const zstd = new Encoder(3).encodeSync(bytes);
    expect(zstdSizeMax(zstd)).toBeGreaterThanOrEqual(size);
    expect(zstdSizeMax(zstd)).toBeLessThanOrEqual(size + 128 * 1024);
    expect(zstdSizeMax(Buffer.concat([zstd, zstd]))).toBe(2 * zstdSizeMax(zstd)); // frames in a row
  });

  it('counts what is no frame, or ends within one, as far as it goes', () => {
    for (const count of [snappySize, lz4SizeMax, zstdSizeMax]) {
      expect(count(Buffer.alloc(0))).toBe(0);
      for (let end = 0; end < 60; end++) expect(count(zstdOfRuns(10).subarray(0, end))).toBeGreaterThanOrEqual(0);
    }
  });
});
