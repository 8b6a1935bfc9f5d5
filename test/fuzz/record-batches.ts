import { setImmediate as nextTurn } from 'node:timers/promises';
import { compress } from '../../connectors/kafka/protocol/compression.js';
import { batch } from '../../connectors/kafka/protocol/record-batch.js';
import { BatchEncoder } from '../../connectors/kafka/protocol/record-batch-encode.js';
import { MillraceError } from '../../src/core/errors.js';
import type { OutgoingRecord } from '../../src/core/record.js';
import { rangeOf, recordsOf, resealed } from '../connectors/kafka/batches.js';
import { type Chance, chanceOf } from './chance.js';
import { varint, zigzag } from './payloads/varint.js';
import { spoilt } from './spoilt-bytes.js';

// Batches of a log that is damaged, or that a hostile producer has got past its broker: with checksums that hold over nonsense.

const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

const goodBatch = ({ below, pick, oneIn }: Chance): Buffer => {
  const encoder = new BatchEncoder();
  for (let left = 1 + below(6); left > 0; left--) {
    const record: OutgoingRecord = {
      key: oneIn(3) ? null : Buffer.from(`key ${below(10)}`),
      value: oneIn(5) ? null : Buffer.alloc(below(200), 'value '),
      timestampMs: 1e12 + below(1e6),
      ...(oneIn(3) ? { headers: [['h', Buffer.from('x')] as const] } : {}),
    };
    encoder.add(record);
  }
  return Buffer.from(encoder.finish(undefined, pick(compressions)));
};

/** With a length that is right again. */
function withSection(header: Buffer, section: Uint8Array): Buffer {
  const whole = Buffer.concat([header.subarray(0, batch.headerBytes), section]);
  whole.writeInt32BE(whole.length - batch.lengthCountsFrom, batch.length);
  return whole;
}

function compressed(header: Buffer, records: Buffer, compression: (typeof compressions)[number]): Buffer {
  const { codec, bytes } = compress(compression, records);
  const whole = withSection(header, bytes);
  whole.writeInt16BE(codec, batch.attributes);
  return whole;
}

/** Records whose lengths, numbers and counts are lies. */
function hostileRecords({ below, pick, oneIn }: Chance): Buffer {
  const number = () =>
    oneIn(8)
      ? pick([zigzag(-1), zigzag(2 ** 31), zigzag(-(2n ** 62n)), Buffer.alloc(400, 0x80), varint(2n ** 64n - 1n)])
      : zigzag(below(6));
  const slice = () => Buffer.concat([number(), Buffer.alloc(below(6), 'x')]);
  const records = Array.from({ length: 1 + below(4) }, () => {
    const body = Buffer.concat([Buffer.of(0), number(), number(), slice(), slice(), number(), slice()]);
    return Buffer.concat([oneIn(6) ? number() : zigzag(body.length), body]);
  });
  return Buffer.concat(records);
}

const fields = [
  [batch.baseOffset, 8],
  [batch.attributes, 2],
  [batch.lastOffsetDelta, 4],
  [batch.baseTimestamp, 8],
  [batch.maxTimestamp, 8],
  [batch.count, 4],
] as const;

function hostileBatch(chance: Chance): Buffer {
  const { below, pick, oneIn } = chance;
  const good = goodBatch(chance);
  const section = good.subarray(batch.headerBytes);
  const bytes = oneIn(3)
    ? withSection(good, spoilt(section, chance))
    : oneIn(2)
      ? compressed(good, hostileRecords(chance), pick(compressions))
      : Buffer.from(good);
  if (oneIn(3)) {
    const [at, size] = pick(fields);
    bytes.fill(pick([0, 0xff, 0x7f, below(256)]), at, at + 1 + below(size));
  }
  if (oneIn(20)) bytes.writeInt16BE(below(8), batch.attributes);
  if (oneIn(20)) bytes.writeInt32BE(pick([-1, 0, 3, 48, 49, 2 ** 31 - 1, below(400)]), batch.length);
  return oneIn(20) ? bytes : resealed(bytes);
}

/** Reads so many of them. Throws where one gives anything but records in order, or a typed error. */
export async function fuzzBatches(count: number, seed: number): Promise<Readonly<Record<string, number>>> {
  const chance = chanceOf(seed);
  const outcomes = new Map<string, number>();
  for (let done = 0; done < count; done++) {
    const outcome = outcomeOf([hostileBatch(chance), ...(chance.oneIn(4) ? [goodBatch(chance)] : [])]);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (done % 1_000 === 0) await nextTurn(); // what decompressors hold outside the heap is let go between two turns
  }
  return Object.fromEntries([...outcomes].sort());
}

function outcomeOf(batches: readonly Buffer[]): string {
  try {
    const range = rangeOf(batches);
    const offsets = recordsOf(range).map(({ offset }) => offset);
    if (range.nextOffset <= 0) throw new Error('what was read is read again, for ever');
    if (offsets.some((offset) => offset >= range.nextOffset)) throw new Error('it would be read again');
    return offsets.length > 0 ? 'records' : 'nothing';
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'source') throw error;
    return error.message.replaceAll(/-?\d[\de+.]*/g, 'N').slice(0, 40);
  }
}
