import { Encoder } from '@toondepauw/node-zstd';
import { varintSize, writeVarint } from '../../../connectors/kafka/protocol/varint.js';
import { dataBatch, sectionOf } from './batches.js';

// Bombs laid out by hand: a few bytes that say they become as many as one likes.

export const zstdOfRuns = (runs: number): Buffer => {
  const run = Buffer.from([0, 0, 0, 0x78]);
  run.writeUIntLE((128 * 1024 * 8) | (1 << 1), 0, 3);
  const last = Buffer.from(run);
  last[0] = (last[0] as number) | 1;
  return Buffer.concat([Buffer.from('28b52ffd0058', 'hex'), ...Array(runs - 1).fill(run), last]);
};
export const lz4OfBlocks = (blocks: number): Buffer => {
  const block = Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([
    Buffer.from('04224d186070', 'hex'),
    Buffer.of(0),
    ...Array(blocks).fill(block),
    Buffer.alloc(4),
  ]);
};
export const snappyOf = (size: number): Buffer => {
  const bytes: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
  return Buffer.from([...bytes, 0, 0x61]);
};

const ZSTD = 4;

/** A batch of records with so many empty headers each: two bytes a header before compression, and next to none after it. */
export function headerBomb(headers: number, records = 1): Buffer {
  const sections = Array.from({ length: records }, (_, n) => {
    // Attributes, timestamp, offset, an empty key, a value of one byte; then headers without a name and a value.
    const body = Buffer.concat([
      Buffer.of(0, 0),
      varint(n),
      Buffer.of(0, 2, 0x78),
      varint(headers),
      Buffer.alloc(2 * headers),
    ]);
    return Buffer.concat([varint(body.length), body]);
  });
  const plain = dataBatch(0, new Array<string>(records).fill('x'));
  return sectionOf(plain, ZSTD, new Encoder(19).encodeSync(Buffer.concat(sections)));
}

function varint(value: number): Buffer {
  const bytes = Buffer.alloc(varintSize(value));
  writeVarint(bytes, 0, value);
  return bytes;
}
