import { gunzipSync, gzipSync } from 'node:zlib';
import { Decoder, Encoder } from '@toondepauw/node-zstd';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import { compressSync, uncompressSync } from 'snappy';
import { MillraceError } from '../../../src/core/errors.js';
import type { Compression } from '../topic-options.js';
import { lz4SizeMax, snappySize, zstdSizeMax } from './decompressed-size.js';

type Decompress = (bytes: Buffer) => Buffer;
type Compress = (bytes: Buffer) => Buffer;

/** More than sixty times the default size limit of a batch. A batch that exceeds it, and its length eight times, is taken for an attack on memory. */
const DECOMPRESSED_BYTES_MAX = 64 * 1024 * 1024;
const EXPANSION_MAX = 8;

const decompressedMax = (bytes: Buffer): number => Math.max(DECOMPRESSED_BYTES_MAX, EXPANSION_MAX * bytes.length);

/** By the number in the attributes of a batch. */
const codecs: readonly (Decompress | undefined)[] = [
  undefined, // 0: none
  gunzip,
  unsnap,
  (bytes) => decompressFrameSync(within(lz4SizeMax(bytes), bytes)),
  (bytes) => new Decoder().decodeSync(within(zstdSizeMax(bytes), bytes)),
];

/** A batch that would become larger than any that a client writes by itself. */
export class TooLarge extends Error {
  constructor(bytes: Buffer) {
    super(`${bytes.length} bytes become more than ${decompressedMax(bytes)}`);
  }
}

function within(size: number, bytes: Buffer): Buffer {
  if (size > decompressedMax(bytes)) throw new TooLarge(bytes);
  return bytes;
}

function gunzip(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: decompressedMax(bytes) });
  } catch (error) {
    throw error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
      ? new TooLarge(bytes)
      : error;
  }
}

/**
 * Decompresses the records section of a batch.
 *
 * Memory: the result, at most 64 MiB, or eight times the length of `bytes` if that is more.
 *
 * @throws MillraceError `source` for another codec than gzip, snappy, lz4 or zstd, and for bytes that cannot be decompressed.
 * @throws TooLarge for results above the limit.
 */
export function decompress(codec: number, bytes: Buffer, where: string): Buffer {
  const open = codecs[codec];
  if (!open) {
    throw new MillraceError('source', `unknown compression codec ${codec}`, {
      where,
      hint: 'gzip (1), snappy (2), lz4 (3) and zstd (4) can be read: configure the producer to use one of them',
      permanent: true,
    });
  }
  try {
    return open(bytes);
  } catch (cause) {
    if (cause instanceof TooLarge) throw cause;
    throw new MillraceError('source', `a batch cannot be decompressed (codec ${codec})`, {
      where,
      hint: 'the checksum is right, so the producer wrote a damaged batch: check its compression library',
      permanent: true,
      cause,
    });
  }
}

const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** Magic, version and lowest compatible version. */
const XERIAL_HEADER_BYTES = 16;

/** Snappy comes raw (librdkafka), or as length-prefixed blocks after the header of the xerial library (Java). */
function unsnap(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return uncompressed(bytes);
  const blocks: Buffer[] = [];
  let size = 0;
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length; ) {
    const start = at + 4;
    const end = start + bytes.readInt32BE(at);
    if (end > bytes.length || end < start) throw new RangeError('a snappy block ends beyond its batch');
    const block = bytes.subarray(start, end);
    size += snappySize(block);
    within(size, bytes);
    blocks.push(uncompressed(block));
    at = end;
  }
  return Buffer.concat(blocks);
}

const uncompressed = (bytes: Buffer): Buffer =>
  uncompressSync(within(snappySize(bytes), bytes), { asBuffer: true }) as Buffer;

/** The numbers in the attributes of a batch. */
const numbers: Readonly<Record<Compression, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };

/** The levels are those of Kafka's own clients. */
const compressors: Readonly<Record<Exclude<Compression, 'none'>, Compress>> = {
  gzip: (bytes) => gzipSync(bytes),
  snappy: (bytes) => compressSync(bytes), // raw, as librdkafka writes it
  lz4: (bytes) => compressFrameSync(bytes),
  zstd: (bytes) => new Encoder(3).encodeSync(bytes),
};

export interface Compressed {
  /** The number for the attributes of the batch. */
  readonly codec: number;
  readonly bytes: Buffer;
}

/** Compresses the records section of a batch, or returns it unchanged if it would get longer. */
export function compress(compression: Compression, bytes: Buffer): Compressed {
  const plain = { codec: numbers.none, bytes };
  if (compression === 'none') return plain;
  const smaller = compressors[compression](bytes);
  return smaller.length < bytes.length ? { codec: numbers[compression], bytes: smaller } : plain;
}
