import { gzipSync } from 'node:zlib';
import { Encoder } from '@toondepauw/node-zstd';
import fc from 'fast-check';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { batch } from '../../../connectors/kafka/protocol/record-batch.js';
import { type Batch, openRecords, readBatch } from '../../../connectors/kafka/protocol/record-batch-decode.js';
import { BatchEncoder, recordSizeMax } from '../../../connectors/kafka/protocol/record-batch-encode.js';
import type { OutgoingRecord, RawRecord } from '../../../src/core/record.js';
import { longestTurn } from '../../turns.js';
import { dataBatch, record, resealed, text, withAttributes } from './batches.js';
import { headerBomb } from './bombs.js';

function decode(bytes: Buffer, fromOffset = 0): RawRecord[] {
  const found = readBatch(bytes, 0, 'topic/0');
  if (!found) throw new Error('no whole batch');
  return openRecords(found, fromOffset, 'topic/0').take(Number.POSITIVE_INFINITY) ?? [];
}

const plain = (records: readonly (RawRecord | OutgoingRecord)[]) =>
  records.map(({ key, value, timestampMs, headers }) => ({
    key: key && [...key],
    value: value && [...value],
    timestampMs,
    headers: (headers ?? []).map(([name, bytes]) => [name, [...bytes]]),
  }));

// Bytes that this code did not make: a batch of two records as the specification lays them out, counted by hand.
const specified = [
  ['0000000000000005', 'base offset 5'],
  ['0000004d', 'length 77'],
  ['00000002', 'leader epoch 2'],
  ['02', 'magic'],
  ['00000000', 'checksum, filled in below'],
  ['0000', 'attributes'],
  ['00000001', 'last offset delta 1'],
  ['00000000000003e8', 'base timestamp 1000'],
  ['00000000000003e9', 'max timestamp 1001'],
  ['ffffffffffffffff', 'producer id'],
  ['ffff', 'producer epoch'],
  ['ffffffff', 'sequence'],
  ['00000002', 'two records'],
  ['1e', 'record of 15 bytes'],
  ['00', 'attributes'],
  ['00', 'timestamp delta 0'],
  ['00', 'offset delta 0'],
  ['02' + '6b', 'key k'],
  ['04' + '7631', 'value v1'],
  ['02', 'one header'],
  ['02' + '68', 'named h'],
  ['06' + '616263', 'abc'],
  ['18', 'record of 12 bytes, some of them long forms'],
  ['00', 'attributes'],
  ['02', 'timestamp delta 1'],
  ['02', 'offset delta 1'],
  ['01', 'no key'],
  ['0c' + '76322d2d2d2d', 'value v2----'],
  ['00', 'no headers'],
] as const;

function specifiedBatch(): Buffer {
  const bytes = Buffer.from(specified.map(([hex]) => hex).join(''), 'hex');
  bytes.writeInt32BE(bytes.length - 12, batch.length);
  return resealed(bytes);
}

describe('the layout', () => {
  it('decodes a batch laid out by hand', () => {
    const records = decode(specifiedBatch());
    expect(records.map(({ offset, timestampMs, key, value }) => [offset, timestampMs, text(key), text(value)])).toEqual(
      [
        [5, 1000, 'k', 'v1'],
        [6, 1001, null, 'v2----'],
      ],
    );
    expect(records[0]?.headers?.map(([name, value]) => [name, text(value)])).toEqual([['h', 'abc']]);
    expect(records[1]?.headers).toBeUndefined();
  });

  it('encodes the same bytes, but for what the broker fills in', () => {
    const encoder = new BatchEncoder();
    encoder.add({ ...record('v1', 'k'), headers: [['h', Buffer.from('abc')]] });
    encoder.add({ ...record('v2----'), timestampMs: 1_001 });
    const expected = specifiedBatch();
    expected.writeBigInt64BE(0n, batch.baseOffset);
    expected.writeInt32BE(-1, batch.leaderEpoch);
    expect(encoder.finish().toString('hex')).toBe(expected.toString('hex'));
  });

  it('knows the checksum of RFC 3720, section B.4', () => {
    const zeros = Buffer.alloc(batch.attributes + 32);
    expect(resealed(zeros).readUInt32BE(batch.crc)).toBe(0x8a9136aa);
  });

  it('stamps the producer and the transactional bit', () => {
    const encoder = new BatchEncoder();
    encoder.add(record('v'));
    const bytes = encoder.finish({ producerId: 2n ** 40n, producerEpoch: 9, sequence: 77, transactional: true });
    expect(bytes.readBigInt64BE(batch.producerId)).toBe(2n ** 40n);
    expect(bytes.readInt16BE(batch.producerEpoch)).toBe(9);
    expect(bytes.readInt32BE(batch.sequence)).toBe(77);
    expect(bytes.readInt16BE(batch.attributes)).toBe(0x10);
  });

  it('takes the time of the append where the topic says so', () => {
    const bytes = dataBatch(0, ['a', 'b']);
    bytes.writeBigInt64BE(9_999n, batch.maxTimestamp);
    const records = decode(withAttributes(bytes, batch.logAppendTime));
    expect(records.map(({ timestampMs }) => timestampMs)).toEqual([9_999, 9_999]);
  });
});

const bytesOf = (maxLength: number) => fc.uint8Array({ maxLength });
const anyRecord: fc.Arbitrary<OutgoingRecord> = fc.record({
  key: fc.option(bytesOf(40), { nil: null }),
  value: fc.option(bytesOf(300), { nil: null }),
  timestampMs: fc.oneof(
    fc.integer({ min: -1, max: 2 ** 43 }),
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_300 }),
  ),
  headers: fc.option(fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 10 }), bytesOf(20)), { maxLength: 4 }), {
    nil: undefined,
  }),
});

describe('round trips', () => {
  it('gives back what was put in, whatever it was', () => {
    const encoder = new BatchEncoder(); // one for all runs: nothing of a batch may reach the next
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 30 }), (records) => {
        let bound: number = batch.headerBytes;
        for (const each of records) {
          encoder.add(each);
          bound += recordSizeMax(each);
        }
        expect(encoder.bytes).toBeLessThanOrEqual(bound);
        const decoded = decode(encoder.finish());
        expect(plain(decoded)).toEqual(plain(records));
        expect(decoded.map(({ offset }) => offset)).toEqual(records.map((_, index) => index));
      }),
      { numRuns: 300 },
    );
  });

  it('writes a text as its UTF-8, of any length and with halves of surrogate pairs, within the size it states', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', '\ud800') }),
    );
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1 }), (values) => {
        const asText = new BatchEncoder();
        const asBytes = new BatchEncoder();
        for (const value of [...values, 'é'.repeat(60_000)]) {
          const before = asText.bytes;
          const written = { key: null, value, timestampMs: 7 };
          asText.add(written);
          expect(asText.bytes - before).toBeLessThanOrEqual(recordSizeMax(written));
          asBytes.add({ ...written, value: Buffer.from(value) });
        }
        expect(asText.finish().equals(asBytes.finish())).toBe(true);
      }),
    );
  });

  it('grows for records larger than its buffer', () => {
    const encoder = new BatchEncoder();
    const large = Buffer.alloc(3_000_000, 'x');
    encoder.add(record('small'));
    encoder.add({ key: large, value: large, timestampMs: 0 });
    const decoded = decode(encoder.finish());
    expect(text(decoded[0]?.value)).toBe('small');
    expect(Buffer.compare(decoded[1]?.key as Buffer, large)).toBe(0);
    expect(Buffer.compare(decoded[1]?.value as Buffer, large)).toBe(0);
  });

  it('copies: a batch does not change with the buffers it came from', () => {
    const encoder = new BatchEncoder();
    const value = Buffer.from('before, and long enough for the native copy');
    encoder.add({ key: null, value, timestampMs: 0 });
    const bytes = encoder.finish();
    value.fill('x');
    encoder.add(record('another batch in the same buffer, also long enough'));
    expect(text(decode(bytes)[0]?.value)).toBe('before, and long enough for the native copy');
  });
});

describe('compression', () => {
  const records = Array.from({ length: 500 }, (_, index) => record(`value ${index} `.repeat(10), `key ${index}`));
  const section = dataBatch(0, records).subarray(batch.headerBytes);
  const compressed = (codec: number, bytes: Buffer): Buffer => {
    const whole = Buffer.concat([dataBatch(0, records).subarray(0, batch.headerBytes), bytes]);
    whole.writeInt32BE(whole.length - batch.lengthCountsFrom, batch.length);
    return withAttributes(whole, codec);
  };
  const block = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const xerial = Buffer.concat([
    Buffer.from('82534e41505059000000000100000001', 'hex'),
    ...[section.subarray(0, 32_768), section.subarray(32_768)].map((part) => block(compressSync(part))),
  ]);

  it.each([
    ['gzip', 1, gzipSync(section)],
    ['snappy, raw', 2, compressSync(section)],
    ['snappy in blocks', 2, xerial],
    ['lz4', 3, compressFrameSync(section)],
    ['zstd', 4, new Encoder(3).encodeSync(section)],
  ])('reads %s', (_name, codec, bytes) => {
    expect(plain(decode(compressed(codec, bytes)))).toEqual(plain(records));
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('writes %s, with the stamp of its producer', (compression) => {
    const encoder = new BatchEncoder();
    for (const each of records) encoder.add(each);
    const bytes = encoder.finish({ producerId: 7n, producerEpoch: 2, sequence: 9, transactional: true }, compression);
    expect(bytes.length).toBeLessThan(section.length / 4);
    expect(plain(decode(bytes))).toEqual(plain(records));
    expect(bytes.readInt16BE(batch.attributes) & batch.transactional).toBe(batch.transactional);
    expect([bytes.readBigInt64BE(batch.producerId), bytes.readInt32BE(batch.sequence)]).toEqual([7n, 9]);
  });

  it('leaves a batch as it is where it would only grow', () => {
    const encoder = new BatchEncoder();
    encoder.add({ key: null, value: Buffer.from([1]), timestampMs: 0 });
    const bytes = encoder.finish(undefined, 'gzip');
    expect(bytes.readInt16BE(batch.attributes)).toBe(0);
    expect(decode(bytes)).toHaveLength(1);
  });

  it('refuses a codec that it does not know, and names it', () => {
    expect(() => decode(compressed(6, section))).toThrow(
      expect.objectContaining({ code: 'source', message: 'unknown compression codec 6', where: 'topic/0' }),
    );
  });

  it.each([1, 2, 3, 4])('refuses bytes that codec %i does not understand', (codec) => {
    expect(() => decode(compressed(codec, Buffer.from('not compressed at all, by any means')))).toThrow(
      expect.objectContaining({ code: 'source' }),
    );
  });

  it('refuses blocks of snappy that end beyond the batch', () => {
    const cut = xerial.subarray(0, xerial.length - 10);
    expect(() => decode(compressed(2, cut))).toThrow(expect.objectContaining({ code: 'source' }));
  });
});

describe('headers', () => {
  it('beyond what a record may have are read past: the record is refused, and holds none of their bytes', () => {
    const bomb = headerBomb(16_000_000);
    expect(bomb.length).toBeLessThan(8_000);
    const turn = longestTurn();
    const [record, ...others] = decode(bomb);
    expect(turn.stop()).toBeLessThan(5_000); // some 50 ms; it was 38 s
    expect(others).toEqual([]);
    expect(record).toMatchObject({ offset: 0, refusal: { reason: 'too-many-headers' } });
    expect(record?.headers).toBeUndefined();
    expect(Buffer.from(record?.value ?? []).toString()).toBe('x');
    expect(record?.value?.buffer.byteLength).toBe(1);
  });

  it('of many records are taken some at a time', () => {
    const records = openRecords(readBatch(headerBomb(1_000, 500), 0, 'topic/0') as Batch, 0, 'topic/0');
    const sizes: number[] = [];
    for (let taken = records.take(65_536); taken; taken = records.take(65_536)) sizes.push(taken.length);
    expect(Math.max(...sizes)).toBe(10);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(500);
  });
});

describe('damage', () => {
  it('notices any flipped bit behind the header', () => {
    const intact = dataBatch(3, ['one', 'two', 'three']);
    fc.assert(
      fc.property(
        fc.integer({ min: batch.attributes, max: intact.length - 1 }),
        fc.integer({ min: 0, max: 7 }),
        (place, bit) => {
          const bytes = Buffer.from(intact);
          bytes[place] = (bytes[place] as number) ^ (1 << bit);
          expect(() => decode(bytes)).toThrow(
            expect.objectContaining({ code: 'source', message: 'a batch fails its checksum' }),
          );
        },
      ),
    );
  });

  it('never hangs, never crashes and never invents records where the checksum holds over nonsense', () => {
    const intact = dataBatch(0, ['one', 'two', 'three']);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: batch.count, max: intact.length - 1 }), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 6,
        }),
        (changes) => {
          const bytes = Buffer.from(intact);
          for (const [place, value] of changes) bytes[place] = value;
          try {
            expect(decode(resealed(bytes))).toHaveLength(bytes.readInt32BE(batch.count));
          } catch (error) {
            expect(error).toMatchObject({ code: 'source' });
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('refuses older message formats instead of skipping them', () => {
    const bytes = dataBatch(0, ['a']);
    bytes[batch.magic] = 1;
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ message: 'unknown message format 1' }));
  });

  it('refuses lengths that cannot be', () => {
    const bytes = dataBatch(0, ['a']);
    bytes.writeInt32BE(3, batch.length);
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: 'source' }));
    for (const [zigzag, length] of [
      [1, -1],
      [126, 63],
    ] as const) {
      const claiming = dataBatch(0, ['a']);
      claiming[batch.headerBytes] = zigzag;
      expect(() => decode(resealed(claiming))).toThrow(`a record claims a length of ${length}`);
    }
  });

  it('refuses offsets behind which one would read the same again', () => {
    for (const [field, value] of [
      [batch.lastOffsetDelta, -1],
      [batch.baseOffset, -1],
    ] as const) {
      const bytes = dataBatch(0, ['a']);
      bytes.writeInt32BE(value, field);
      expect(() => decode(resealed(bytes))).toThrow(/a batch claims the offsets/);
    }
  });

  it('refuses a number that goes on for a megabyte, at once', () => {
    const endless = Buffer.concat([dataBatch(0, ['a']).subarray(0, batch.headerBytes), Buffer.alloc(1_100_000, 0x80)]);
    endless.set([0xfe, 0xff, 0x7f, 0], batch.headerBytes); // the length of a record, and its attributes
    endless.writeInt32BE(endless.length - batch.lengthCountsFrom, batch.length);
    expect(() => decode(resealed(endless))).toThrow('a number of more than ten bytes');
  });
});
