import { crc32c } from '@node-rs/crc32';
import type { Headers, OutgoingRecord } from '../../../src/core/record.js';
import type { Compression } from '../topic-options.js';
import { compress } from './compression.js';
import { batch, type ProducerStamp } from './record-batch.js';
import { varintSize, varlongSize, writeVarint, writeVarlong } from './varint.js';

const FIRST_BYTES = 64 * 1024;
/** Below this length a loop is faster than a native copy. */
const COPY_BY_HAND = 24;
const utf8 = new TextEncoder();

/** A record for a batch. A text as its value is written in UTF-8, without bytes of its own before. */
export interface RecordToEncode extends Omit<OutgoingRecord, 'value'> {
  readonly value: Uint8Array | string | null;
}

/**
 * Encodes one record batch (message format 2) after another, for one partition, in one growing buffer.
 *
 * Memory: the largest batch so far. Format: https://kafka.apache.org/documentation/#recordbatch.
 *
 * @example
 * const encoder = new BatchEncoder();
 * encoder.add({ key: null, value: new Uint8Array([1]), timestampMs: 0 });
 * const bytes = encoder.finish();
 */
export class BatchEncoder {
  private buffer = Buffer.allocUnsafe(FIRST_BYTES);
  private at: number = batch.headerBytes;
  private count = 0;
  private baseTimestampMs = 0;
  private maxTimestampMs = 0;

  /** Size of the batch so far. */
  get bytes(): number {
    return this.at;
  }

  get records(): number {
    return this.count;
  }

  /** Appends a record; a negative timestamp means none. Copies key, value and headers. */
  add({ key, value, timestampMs, headers }: RecordToEncode): void {
    if (this.count === 0) {
      this.baseTimestampMs = timestampMs;
      this.maxTimestampMs = timestampMs;
    } else if (timestampMs > this.maxTimestampMs) this.maxTimestampMs = timestampMs;

    const timestampDelta = timestampMs - this.baseTimestampMs;
    const offsetDelta = this.count;
    let body =
      1 + // attributes of the record: none are defined
      varlongSize(timestampDelta) +
      varintSize(offsetDelta) +
      bytesSize(key);
    const textBytes = typeof value === 'string' ? Buffer.byteLength(value) : 0;
    body += typeof value === 'string' ? varintSize(textBytes) + textBytes : bytesSize(value);
    const names =
      headers === undefined || headers.length === 0 ? undefined : headers.map(([name]) => utf8.encode(name));
    body += names === undefined ? 1 : headersSize(names, headers as Headers);

    const start = this.reserve(varintSize(body) + body);
    const { buffer } = this;
    let at = writeVarint(buffer, start, body);
    buffer[at++] = 0;
    at = writeVarlong(buffer, at, timestampDelta);
    at = writeVarint(buffer, at, offsetDelta);
    at = writeBytes(buffer, at, key);
    if (typeof value === 'string') {
      at = writeVarint(buffer, at, textBytes);
      at += buffer.write(value, at, textBytes);
    } else at = writeBytes(buffer, at, value);
    if (names === undefined) buffer[at++] = 0;
    else at = writeHeaders(buffer, at, names, headers as Headers);
    this.at = at;
    this.count += 1;
  }

  /**
   * Returns the batch as a new buffer and starts the next one. `stamp` makes it part of an idempotent or transactional sequence.
   */
  finish(stamp?: ProducerStamp, compression: Compression = 'none'): Buffer {
    const { codec, bytes: section } = compress(compression, this.buffer.subarray(batch.headerBytes, this.at));
    const bytes = Buffer.allocUnsafe(batch.headerBytes + section.length);
    bytes.set(section, batch.headerBytes);
    this.writeHeader(bytes, codec, stamp);
    this.at = batch.headerBytes;
    this.count = 0;
    return bytes;
  }

  private writeHeader(bytes: Buffer, codec: number, stamp: ProducerStamp | undefined): void {
    const { count } = this;
    bytes.writeBigInt64BE(0n, batch.baseOffset);
    bytes.writeInt32BE(bytes.length - batch.lengthCountsFrom, batch.length);
    bytes.writeInt32BE(-1, batch.leaderEpoch);
    bytes[batch.magic] = 2;
    bytes.writeInt16BE(codec | (stamp?.transactional ? batch.transactional : 0), batch.attributes);
    bytes.writeInt32BE(count - 1, batch.lastOffsetDelta);
    bytes.writeBigInt64BE(BigInt(this.baseTimestampMs), batch.baseTimestamp);
    bytes.writeBigInt64BE(BigInt(this.maxTimestampMs), batch.maxTimestamp);
    bytes.writeBigInt64BE(stamp?.producerId ?? -1n, batch.producerId);
    bytes.writeInt16BE(stamp?.producerEpoch ?? -1, batch.producerEpoch);
    bytes.writeInt32BE(stamp?.sequence ?? -1, batch.sequence);
    bytes.writeInt32BE(count, batch.count);
    bytes.writeUInt32BE(crc32c(bytes.subarray(batch.attributes)), batch.crc);
  }

  /** Reserves `bytes` more; the buffer doubles until they fit. */
  private reserve(bytes: number): number {
    const { buffer, at } = this;
    if (at + bytes > buffer.length) {
      let length = buffer.length * 2;
      while (length < at + bytes) length *= 2;
      const grown = Buffer.allocUnsafe(length);
      grown.set(buffer.subarray(0, at));
      this.buffer = grown;
    }
    return at;
  }
}

/** An upper bound of the encoded size of a record. */
export function recordSizeMax({ key, value, headers }: RecordToEncode): number {
  const fixed = 5 + 1 + 10 + 5 + 5 + 5 + 5;
  const plain = fixed + (key?.length ?? 0) + (typeof value === 'string' ? value.length * 3 : (value?.length ?? 0));
  if (headers === undefined) return plain; // the usual case, checked for every record
  return headers.reduce((sum, [name, bytes]) => sum + 10 + name.length * 3 + bytes.length, plain);
}

const bytesSize = (bytes: Uint8Array | null): number => (bytes === null ? 1 : varintSize(bytes.length) + bytes.length);

function headersSize(names: readonly Uint8Array[], headers: Headers): number {
  let size = varintSize(names.length);
  for (let i = 0; i < names.length; i += 1) {
    size += bytesSize(names[i] as Uint8Array) + bytesSize(headers[i]?.[1] ?? null);
  }
  return size;
}

function writeHeaders(buffer: Buffer, start: number, names: readonly Uint8Array[], headers: Headers): number {
  let at = writeVarint(buffer, start, names.length);
  for (let i = 0; i < names.length; i += 1) {
    at = writeBytes(buffer, at, names[i] as Uint8Array);
    at = writeBytes(buffer, at, headers[i]?.[1] ?? null);
  }
  return at;
}

function writeBytes(buffer: Buffer, start: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(buffer, start, -1);
  const { length } = bytes;
  const at = writeVarint(buffer, start, length);
  if (length < COPY_BY_HAND) for (let i = 0; i < length; i += 1) buffer[at + i] = bytes[i] as number;
  else buffer.set(bytes, at);
  return at + length;
}
