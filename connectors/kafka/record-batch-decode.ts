import { crc32c } from '@node-rs/crc32';
import { MillraceError } from '../../src/core/errors.js';
import type { Headers, RawRecord } from '../../src/core/record.js';
import { decompress } from './compression.js';
import { batch } from './record-batch.js';

/** The header of a batch inside fetched bytes; its records are decoded later, by `decodeRecords`. */
export interface Batch {
  readonly bytes: Buffer;
  /** Where it begins and ends in `bytes`. */
  readonly start: number;
  readonly end: number;
  readonly baseOffset: number;
  /** The offset after its last record; compaction may have removed records, never this. */
  readonly nextOffset: number;
  readonly attributes: number;
  readonly producerId: bigint;
  readonly count: number;
}

/**
 * The batch that begins at `start`, or `undefined` where the bytes end before it does: a fetch may cut the last one.
 *
 * @throws MillraceError `source` on another message format than 2, on nonsense in the header, and on a wrong checksum.
 */
export function readBatch(bytes: Buffer, start: number, where: string): Batch | undefined {
  if (start + batch.magic >= bytes.length) return undefined;
  const magic = bytes.readInt8(start + batch.magic);
  if (magic !== 2) {
    throw new MillraceError('source', `unknown message format ${magic}`, {
      where,
      hint: 'only format 2 (Kafka 0.11 and later) can be read: let the broker convert the topic, or write it anew',
    });
  }
  const length = bytes.readInt32BE(start + batch.length);
  if (length < batch.headerBytes - batch.lengthCountsFrom) throw damaged(`a batch claims a length of ${length}`, where);
  const end = start + batch.lengthCountsFrom + length;
  if (end > bytes.length) return undefined;
  const crc = crc32c(bytes.subarray(start + batch.attributes, end));
  if (crc !== bytes.readUInt32BE(start + batch.crc)) throw damaged('a batch fails its checksum', where);

  const baseOffset = Number(bytes.readBigInt64BE(start + batch.baseOffset));
  return {
    bytes,
    start,
    end,
    baseOffset,
    nextOffset: baseOffset + bytes.readInt32BE(start + batch.lastOffsetDelta) + 1,
    attributes: bytes.readInt16BE(start + batch.attributes),
    producerId: bytes.readBigInt64BE(start + batch.producerId),
    count: bytes.readInt32BE(start + batch.count),
  };
}

/**
 * Appends the records of a batch from `fromOffset` on to `into`. Keys, values and headers are views of the fetched (or
 * decompressed) bytes, which stay in memory as long as one of them does.
 *
 * @throws MillraceError `source` on records that do not fill their batch exactly or in order, and as `decompress` does.
 */
export function decodeRecords(source: Batch, fromOffset: number, into: RawRecord[], where: string): void {
  const { bytes, start, end, baseOffset, nextOffset, attributes, count } = source;
  const codec = attributes & batch.compression;
  const section = bytes.subarray(start + batch.headerBytes, end);
  const clear = codec === 0 ? section : decompress(codec, section, where);
  const base = Number(bytes.readBigInt64BE(start + batch.baseTimestamp));
  const appended =
    attributes & batch.logAppendTime ? Number(bytes.readBigInt64BE(start + batch.maxTimestamp)) : undefined;

  const reader = new RecordReader(clear, where);
  let lowest = baseOffset;
  for (let i = 0; i < count; i += 1) {
    const record = reader.next(baseOffset, base, appended);
    if (record.offset < lowest || record.offset >= nextOffset) {
      throw damaged(
        `a batch of the offsets ${baseOffset} to ${nextOffset - 1} has ${record.offset} out of order`,
        where,
      );
    }
    lowest = record.offset + 1;
    if (record.offset >= fromOffset) into.push(record);
  }
  if (!reader.atEnd) throw damaged('a batch holds bytes beyond its records', where);
}

/** Whether a control batch ends its producer's transaction by an abort. Other control records are none of ours. */
export function isAbort({ bytes, start, end, attributes }: Batch, where: string): boolean {
  const codec = attributes & batch.compression;
  const section = bytes.subarray(start + batch.headerBytes, end);
  const { key } = new RecordReader(codec === 0 ? section : decompress(codec, section, where), where).next(
    0,
    0,
    undefined,
  );
  // The key is a version and a type, both 16 bits: 0 is abort, 1 is commit.
  if (key === null || key.length < 4) throw damaged('a control record without a type', where);
  return key[2] === 0 && key[3] === 0;
}

class RecordReader {
  private at = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly where: string,
  ) {}

  get atEnd(): boolean {
    return this.at === this.bytes.length;
  }

  next(baseOffset: number, baseTimestampMs: number, appendedMs: number | undefined): RawRecord {
    const length = this.varint();
    const end = this.at + length;
    if (length < 0 || end > this.bytes.length) throw damaged(`a record claims a length of ${length}`, this.where);
    this.at += 1; // attributes of the record: none are defined
    const timestampMs = baseTimestampMs + this.varlong();
    const offset = baseOffset + this.varint();
    const key = this.slice();
    const value = this.slice();
    const headerCount = this.varint();
    const record = { offset, timestampMs: appendedMs ?? timestampMs, key, value };
    const whole: RawRecord = headerCount === 0 ? record : { ...record, headers: this.headers(headerCount) };
    if (this.at !== end) throw damaged('a record does not end where it says', this.where);
    return whole;
  }

  private headers(count: number): Headers {
    if (count < 0) throw damaged(`a record with ${count} headers`, this.where);
    const headers: [string, Uint8Array][] = [];
    for (let i = 0; i < count; i += 1) {
      const name = this.slice();
      if (name === null) throw damaged('a header without a name', this.where);
      headers.push([Buffer.from(name.buffer, name.byteOffset, name.length).toString(), this.slice() ?? NOTHING]);
    }
    return headers;
  }

  /** Length-prefixed bytes; `null` where the length is -1. */
  private slice(): Uint8Array | null {
    const length = this.varint();
    if (length < 0) return null;
    const from = this.at;
    this.at = from + length;
    if (this.at > this.bytes.length) throw damaged(`a field claims a length of ${length}`, this.where);
    return this.bytes.subarray(from, this.at);
  }

  private varint(): number {
    const { bytes } = this;
    let at = this.at;
    let byte = bytes[at++] as number;
    let result = byte & 0x7f;
    // Bytes beyond the end read as undefined, which ends the loop; the checks of the lengths then fail.
    for (let shift = 7; byte & 0x80; shift += 7) {
      byte = bytes[at++] as number;
      result |= (byte & 0x7f) << shift;
    }
    this.at = at;
    return (result >>> 1) ^ -(result & 1);
  }

  private varlong(): number {
    const { bytes, at } = this;
    // Nearly all deltas are short; four bytes hold no more than 28 bits.
    if (
      !(
        (bytes[at] as number) &
        (bytes[at + 1] as number) &
        (bytes[at + 2] as number) &
        (bytes[at + 3] as number) &
        0x80
      )
    ) {
      return this.varint();
    }
    let next = at;
    let result = 0n;
    let byte: number;
    let shift = 0n;
    do {
      byte = bytes[next++] as number;
      result |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
    } while (byte & 0x80);
    this.at = next;
    return Number((result >> 1n) ^ -(result & 1n));
  }
}

const NOTHING = new Uint8Array(0);

const damaged = (message: string, where: string): MillraceError =>
  new MillraceError('source', message, {
    where,
    hint: 'the log is damaged here: compare the replicas (kafka-dump-log), or skip the batch by moving the position',
  });
