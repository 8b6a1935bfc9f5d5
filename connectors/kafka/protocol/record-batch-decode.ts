import { crc32c } from '@node-rs/crc32';
import { MillraceError } from '../../../src/core/errors.js';
import type { Headers, RawRecord } from '../../../src/core/record.js';
import { RecentBytes } from '../../../src/schema/bytes/recent-bytes.js';
import { decompress, TooLarge } from './compression.js';
import { batch } from './record-batch.js';

/** The header of a batch inside fetched bytes; `BatchRecords` decodes its records later. */
export interface Batch {
  readonly bytes: Buffer;
  /** Its range in `bytes`. */
  readonly start: number;
  readonly end: number;
  readonly baseOffset: number;
  /** The offset after its last record; compaction may remove records but keeps this. */
  readonly nextOffset: number;
  readonly leaderEpoch: number;
  readonly attributes: number;
  readonly producerId: bigint;
  readonly count: number;
}

/**
 * The batch that begins at `start`, or `undefined` if the bytes end before it does: a fetch may cut off the last one.
 *
 * @throws MillraceError `source` for another message format than 2, invalid headers, and wrong checksums.
 */
export function readBatch(bytes: Buffer, start: number, where: string): Batch | undefined {
  if (start + batch.magic >= bytes.length) return undefined;
  const magic = bytes.readInt8(start + batch.magic);
  if (magic !== 2) {
    throw new MillraceError('source', `unknown message format ${magic}`, {
      where,
      hint: 'only format 2 (Kafka 0.11 and later) can be read: let the broker convert the topic, or write it again',
    });
  }
  const length = bytes.readInt32BE(start + batch.length);
  if (length < batch.headerBytes - batch.lengthCountsFrom) throw damaged(`a batch claims a length of ${length}`, where);
  const end = start + batch.lengthCountsFrom + length;
  if (end > bytes.length) return undefined;
  const crc = crc32c(bytes.subarray(start + batch.attributes, end));
  if (crc !== bytes.readUInt32BE(start + batch.crc)) throw damaged('a batch fails its checksum', where);

  const baseOffset = Number(bytes.readBigInt64BE(start + batch.baseOffset));
  const lastOffset = baseOffset + bytes.readInt32BE(start + batch.lastOffsetDelta);
  // A reader would continue at such an offset and read the batch again, for ever.
  if (baseOffset < 0 || lastOffset < baseOffset || lastOffset >= Number.MAX_SAFE_INTEGER) {
    throw damaged(`a batch claims the offsets ${baseOffset} to ${lastOffset}`, where);
  }
  return {
    bytes,
    start,
    end,
    baseOffset,
    nextOffset: lastOffset + 1,
    leaderEpoch: bytes.readInt32BE(start + batch.leaderEpoch),
    attributes: bytes.readInt16BE(start + batch.attributes),
    producerId: bytes.readBigInt64BE(start + batch.producerId),
    count: bytes.readInt32BE(start + batch.count),
  };
}

/** Headers of a record: each takes some hundred bytes in memory, and may take two in its batch. */
const HEADERS_MAX = 1_000;
/** Headers of records that are taken at a time. */
const TAKEN_HEADERS_MAX = 10_000;

/** The records of a batch, some at a time; `undefined` after the last one. */
export interface RecordsOfBatch {
  /** At most so many, and none after about `bytesMax` bytes; but one at least. */
  take(recordsMax: number, bytesMax?: number): RawRecord[] | undefined;
}

/**
 * Opens the records of a batch from an offset on. A batch that decompresses to more than any client writes by itself comes as one
 * refused record in its last place, so that reading continues after it.
 *
 * @throws MillraceError `source` for a batch that cannot be decompressed.
 */
export function openRecords(source: Batch, fromOffset: number, where: string): RecordsOfBatch {
  try {
    return new BatchRecords(source, fromOffset, where);
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    const { count, baseOffset, nextOffset, bytes, start } = source;
    const offset = nextOffset - 1;
    const refusal = {
      reason: 'batch-too-large',
      detail: `a batch of ${count} records, offsets ${baseOffset} to ${offset}: ${error.message}`,
    };
    const timestampMs = Number(bytes.readBigInt64BE(start + batch.maxTimestamp));
    let refused: RawRecord[] | undefined = [{ offset, timestampMs, key: null, value: null, refusal }];
    return {
      take() {
        const taken = refused;
        refused = undefined;
        return taken;
      },
    };
  }
}

/**
 * Decodes the records of a batch from an offset on, some at a time, because a batch may hold more than fits in memory. Keys, values
 * and headers are views of the fetched (or decompressed) bytes, which stay in memory as long as one of them does.
 *
 * @throws MillraceError `source` if records do not fill their batch exactly or in order, and like `decompress`.
 */
class BatchRecords implements RecordsOfBatch {
  private readonly reader: RecordReader;
  private read = 0;
  private lowest: number;

  constructor(
    private readonly source: Batch,
    private readonly fromOffset: number,
    private readonly where: string,
  ) {
    this.reader = new RecordReader(sectionOf(source, where), source, where);
    this.lowest = source.baseOffset;
  }

  take(recordsMax: number, bytesMax = Number.POSITIVE_INFINITY): RawRecord[] | undefined {
    const { count, baseOffset, nextOffset } = this.source;
    const { reader, fromOffset } = this;
    const records: RawRecord[] = [];
    const end = reader.position + bytesMax;
    let headers = 0;
    const hasRoom = () => records.length < recordsMax && reader.position < end && headers < TAKEN_HEADERS_MAX;
    while (this.read < count && (records.length === 0 || hasRoom())) {
      const record = reader.next();
      if (record.offset < this.lowest || record.offset >= nextOffset) {
        const claimed = `a batch of the offsets ${baseOffset} to ${nextOffset - 1}`;
        throw damaged(`${claimed} has ${record.offset} out of order`, this.where);
      }
      this.lowest = record.offset + 1;
      this.read += 1;
      if (record.offset < fromOffset) continue;
      records.push(record);
      headers += record.headers?.length ?? 0;
    }
    if (this.read >= count && !reader.atEnd) throw damaged('a batch holds bytes beyond its records', this.where);
    return records.length > 0 ? records : undefined;
  }
}

/** The records section, decompressed. */
function sectionOf({ bytes, start, end, attributes }: Batch, where: string): Buffer {
  const codec = attributes & batch.compression;
  const section = bytes.subarray(start + batch.headerBytes, end);
  return codec === 0 ? section : decompress(codec, section, where);
}

/** That of a control batch, which brokers alone write: one that is too large is damaged. */
function controlSectionOf(marker: Batch, where: string): Buffer {
  try {
    return sectionOf(marker, where);
  } catch (error) {
    throw error instanceof TooLarge ? damaged(`a control batch: ${error.message}`, where) : error;
  }
}

/** Whether a control batch is an abort marker. Other control records are ignored. */
export function isAbort(marker: Batch, where: string): boolean {
  const { key } = new RecordReader(controlSectionOf(marker, where), marker, where).next();
  // The key is a version and a type, both 16 bits: 0 is abort, 1 is commit.
  if (key === null || key.length < 4) throw damaged('a control record without a type', where);
  return key[2] === 0 && key[3] === 0;
}

const keys = new RecentBytes();

class RecordReader {
  private at = 0;
  private readonly baseOffset: number;
  private readonly baseTimestampMs: number;
  /** The append time, for a topic with `LogAppendTime`. */
  private readonly appendedMs: number | undefined;

  constructor(
    private readonly bytes: Buffer,
    { bytes: whole, start, attributes, baseOffset }: Batch,
    private readonly where: string,
  ) {
    this.baseOffset = baseOffset;
    this.baseTimestampMs = Number(whole.readBigInt64BE(start + batch.baseTimestamp));
    const isAppendTime = (attributes & batch.logAppendTime) !== 0;
    this.appendedMs = isAppendTime ? Number(whole.readBigInt64BE(start + batch.maxTimestamp)) : undefined;
  }

  get position(): number {
    return this.at;
  }

  get atEnd(): boolean {
    return this.at === this.bytes.length;
  }

  next(): RawRecord {
    const length = this.varint();
    const end = this.at + length;
    if (length < 0 || end > this.bytes.length) throw damaged(`a record claims a length of ${length}`, this.where);
    this.at += 1; // attributes of the record: none are defined
    const timestampMs = this.baseTimestampMs + this.varlong();
    const offset = this.baseOffset + this.varint();
    const key = this.key();
    const value = this.slice();
    const headerCount = this.varint();
    const record = { offset, timestampMs: this.appendedMs ?? timestampMs, key, value };
    if (headerCount > HEADERS_MAX) {
      this.at = end;
      return tooManyHeaders(record, headerCount);
    }
    const whole: RawRecord = headerCount === 0 ? record : { ...record, headers: this.headers(headerCount) };
    if (this.at !== end) throw damaged('a record does not end at its stated length', this.where);
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

  private key(): Uint8Array | null {
    const length = this.field();
    return length < 0 ? null : keys.at(this.bytes, this.at - length, this.at);
  }

  /** Length-prefixed bytes; `null` if the length is -1. */
  private slice(): Uint8Array | null {
    const length = this.field();
    return length < 0 ? null : this.bytes.subarray(this.at - length, this.at);
  }

  /** Moves behind length-prefixed bytes, and returns the length. */
  private field(): number {
    const length = this.varint();
    if (length > 0) this.at += length;
    if (this.at > this.bytes.length) throw damaged(`a field claims a length of ${length}`, this.where);
    return length;
  }

  private varint(): number {
    const { bytes } = this;
    let at = this.at;
    let byte = bytes[at++] as number;
    let result = byte & 0x7f;
    // Bytes beyond the end read as undefined, which ends the loop; the length checks then fail.
    for (let shift = 7; byte & 0x80; shift += 7) {
      byte = bytes[at++] as number;
      result |= (byte & 0x7f) << shift;
    }
    this.at = at;
    return (result >>> 1) ^ -(result & 1);
  }

  private varlong(): number {
    const { bytes, at } = this;
    // Most deltas are short; four bytes hold at most 28 bits.
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
    let byte: number;
    let unsigned = 0;
    let scale = 1;
    // The deltas of long batches of old records: seven bytes hold at most 49 bits, which a number holds exactly.
    do {
      byte = bytes[next++] as number;
      unsigned += (byte & 0x7f) * scale;
      scale *= 0x80;
    } while (byte & 0x80 && scale < 2 ** 49);
    if (!(byte & 0x80)) {
      this.at = next;
      return unsigned % 2 === 0 ? unsigned / 2 : -(unsigned + 1) / 2;
    }
    next = at;
    let result = 0n;
    let shift = 0n;
    do {
      if (shift > 63n) throw damaged('a number of more than ten bytes', this.where);
      byte = bytes[next++] as number;
      result |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
    } while (byte & 0x80);
    this.at = next;
    return Number((result >> 1n) ^ -(result & 1n));
  }
}

/** Copies of key and value, since views would keep all of the headers in memory. */
const tooManyHeaders = ({ key, value, ...record }: RawRecord, count: number): RawRecord => ({
  ...record,
  key: key && Uint8Array.from(key),
  value: value && Uint8Array.from(value),
  refusal: { reason: 'too-many-headers', detail: `${count} headers, more than ${HEADERS_MAX}` },
});

const NOTHING = new Uint8Array(0);

export const damaged = (message: string, where: string): MillraceError =>
  new MillraceError('source', message, {
    where,
    hint: 'the log is damaged here: compare the replicas (kafka-dump-log), or skip the batch by moving the position',
  });
