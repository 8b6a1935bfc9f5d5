import { crc32c } from '@node-rs/crc32';
import { type AbortedTransaction, CommittedRange } from '../../../connectors/kafka/group/committed.js';
import { batch } from '../../../connectors/kafka/protocol/record-batch.js';
import { BatchEncoder } from '../../../connectors/kafka/protocol/record-batch-encode.js';
import type { OutgoingRecord, RawRecord } from '../../../src/core/record.js';

// Hand-made stretches of a log, as a broker would send them.

export const text = (bytes: Uint8Array | null | undefined): string | null =>
  bytes ? Buffer.from(bytes).toString() : null;

export const record = (value: string | null, key: string | null = null): OutgoingRecord => ({
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  timestampMs: 1_000,
});

/** A batch at `baseOffset`; transactional where a producer is given. */
export function dataBatch(
  baseOffset: number,
  values: readonly (string | OutgoingRecord)[],
  producerId?: bigint,
): Buffer {
  const encoder = new BatchEncoder();
  for (const value of values) encoder.add(typeof value === 'string' ? record(value) : value);
  const stamp = {
    producerId: producerId ?? -1n,
    producerEpoch: 0,
    sequence: 0,
    transactional: producerId !== undefined,
  };
  return at(baseOffset, encoder.finish(stamp));
}

/** The control batch that ends a transaction. */
export function marker(offset: number, producerId: bigint, type: 'abort' | 'commit'): Buffer {
  const encoder = new BatchEncoder();
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]);
  encoder.add({ key, value: Buffer.alloc(6), timestampMs: 1_000 });
  const bytes = encoder.finish({ producerId, producerEpoch: 0, sequence: -1, transactional: true });
  return at(offset, withAttributes(bytes, batch.transactional | batch.control));
}

export function at(offset: number, bytes: Buffer): Buffer {
  bytes.writeBigInt64BE(BigInt(offset), batch.baseOffset);
  return bytes;
}

/** As the leader of an epoch writes it: the checksum leaves the epoch out. */
export function ofEpoch(epoch: number, bytes: Buffer): Buffer {
  bytes.writeInt32BE(epoch, batch.leaderEpoch);
  return bytes;
}

/** Changes the attributes and makes the checksum right again. */
export function withAttributes(bytes: Buffer, attributes: number): Buffer {
  bytes.writeInt16BE(attributes, batch.attributes);
  return resealed(bytes);
}

/** The header of a batch over another section, compressed by the codec of this number. */
export function sectionOf(header: Buffer, codec: number, section: Buffer): Buffer {
  const whole = Buffer.concat([header.subarray(0, batch.headerBytes), section]);
  whole.writeInt32BE(whole.length - batch.lengthCountsFrom, batch.length);
  return withAttributes(whole, codec);
}

export function resealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes.subarray(batch.attributes)), batch.crc);
  return bytes;
}

export function rangeOf(
  batches: readonly Buffer[],
  { aborted = [], from = 0 }: { aborted?: readonly AbortedTransaction[]; from?: number } = {},
): CommittedRange {
  return new CommittedRange(
    { highWatermark: 1_000, stableOffset: 1_000, aborted, bytes: Buffer.concat(batches) },
    from,
    'topic/0',
  );
}

export function recordsOf(range: CommittedRange): RawRecord[] {
  const records: RawRecord[] = [];
  for (let next = range.take(); next; next = range.take()) records.push(...next);
  return records;
}
