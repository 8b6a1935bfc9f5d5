import { gunzipSync, gzipSync } from 'node:zlib';
import { Decoder, Encoder } from '@toondepauw/node-zstd';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import { compressSync, uncompressSync } from 'snappy';
import { MillraceError } from '../../src/core/errors.js';
import type { Compression } from '../../src/core/sinks.js';

type Decompress = (bytes: Buffer) => Buffer;
type Compress = (bytes: Buffer) => Buffer;

/** By the number that the attributes of a batch carry. */
const codecs: readonly (Decompress | undefined)[] = [
  undefined, // 0: none
  (bytes) => gunzipSync(bytes),
  unsnap,
  (bytes) => decompressFrameSync(bytes),
  (bytes) => new Decoder().decodeSync(bytes),
];

/**
 * The records section of a compressed batch in the clear.
 *
 * @throws MillraceError `source` on a codec that is not gzip, snappy, lz4 or zstd, and on bytes that do not decompress.
 */
export function decompress(codec: number, bytes: Buffer, where: string): Buffer {
  const open = codecs[codec];
  if (!open) {
    throw new MillraceError('source', `unknown compression codec ${codec}`, {
      where,
      hint: 'gzip (1), snappy (2), lz4 (3) and zstd (4) can be read: let the producer use one of these',
      lasting: true,
    });
  }
  try {
    return open(bytes);
  } catch (cause) {
    throw new MillraceError('source', `a batch does not decompress (codec ${codec})`, {
      where,
      hint: 'the batch is damaged although its checksum holds: the producer wrote it so; look at its compression library',
      lasting: true,
      cause,
    });
  }
}

const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** Magic, version and lowest compatible version. */
const XERIAL_HEADER_BYTES = 16;

/** Snappy comes raw (librdkafka) or as length-prefixed blocks behind the header of the xerial library (Java). */
function unsnap(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return uncompressed(bytes);
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length; ) {
    const start = at + 4;
    const end = start + bytes.readInt32BE(at);
    if (end > bytes.length || end < start) throw new RangeError('a snappy block ends beyond its batch');
    blocks.push(uncompressed(bytes.subarray(start, end)));
    at = end;
  }
  return Buffer.concat(blocks);
}

const uncompressed = (bytes: Buffer): Buffer => uncompressSync(bytes, { asBuffer: true }) as Buffer;

/** The number that the attributes of a batch carry. */
const numbers: Readonly<Record<Compression, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };

/** The levels are those of Kafka's own clients. */
const compressors: Readonly<Record<Exclude<Compression, 'none'>, Compress>> = {
  gzip: (bytes) => gzipSync(bytes),
  snappy: (bytes) => compressSync(bytes), // raw, as librdkafka writes it
  lz4: (bytes) => compressFrameSync(bytes),
  zstd: (bytes) => new Encoder(3).encodeSync(bytes),
};

export interface Compressed {
  /** For the attributes of the batch. */
  readonly codec: number;
  readonly bytes: Buffer;
}

/** The records section of a batch, compressed; as it is where that would make it longer. */
export function compress(compression: Compression, bytes: Buffer): Compressed {
  const plain = { codec: numbers.none, bytes };
  if (compression === 'none') return plain;
  const smaller = compressors[compression](bytes);
  return smaller.length < bytes.length ? { codec: numbers[compression], bytes: smaller } : plain;
}
