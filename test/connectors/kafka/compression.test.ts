import { gzipSync } from 'node:zlib';
import { Encoder } from '@toondepauw/node-zstd';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { compress, decompress } from '../../../connectors/kafka/protocol/compression.js';
import { lz4SizeMax, snappySize, zstdSizeMax } from '../../../connectors/kafka/protocol/decompressed-size.js';

const MIB = 1024 * 1024;

// Bombs laid out by hand: a few bytes that say they become as many as one likes.

const zstdOfRuns = (runs: number): Buffer => {
  const run = Buffer.from([0, 0, 0, 0x78]);
  run.writeUIntLE((128 * 1024 * 8) | (1 << 1), 0, 3);
  const last = Buffer.from(run);
  last[0] = (last[0] as number) | 1;
  return Buffer.concat([Buffer.from('28b52ffd0058', 'hex'), ...Array(runs - 1).fill(run), last]);
};
const lz4OfBlocks = (blocks: number): Buffer => {
  const block = Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([
    Buffer.from('04224d186070', 'hex'),
    Buffer.of(0),
    ...Array(blocks).fill(block),
    Buffer.alloc(4),
  ]);
};
const snappyOf = (size: number): Buffer => {
  const bytes: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
  return Buffer.from([...bytes, 0, 0x61]);
};

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
    expect(() => decompress(codec, bytes, 'topic/0')).toThrow(
      expect.objectContaining({
        code: 'source',
        where: 'topic/0',
        message: 'a batch decompresses to more than 134217728 bytes',
      }),
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(160 * MIB);
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
