import { MillraceError } from '../../core/errors.js';
import type { Headers, OutgoingRecord, RawRecord } from '../../core/record.js';
import { RecentBytes } from '../../schema/bytes/recent-bytes.js';

// A log is kept as blobs of many records: one store entry for each record would cost ten times as much. A blob is
// eight bytes (version, three zeros, count), then record after record: timestamp (f64), lengths of key and value (i32,
// -1 for null), number of headers (u16), key, value, and for each header the length of its name (u16), of its value
// (u32), name, value. Little-endian. Offsets are not in it: the first one is the entry's key.

const VERSION = 1;
const BLOB_HEADER = 8;
const RECORD_HEADER = 18;
const RECORDS_MAX = 1_000;
const BYTES_MAX = 256 * 1024;
/** Below this a loop is faster than the call of a native copy. */
const SHORT = 24;

export interface Blob {
  readonly records: number;
  readonly bytes: Buffer;
}

/** Collects records into blobs; `take` hands over what is complete and begins anew. */
export class BlobWriter {
  private sealed: Blob[] = [];
  private buffer = Buffer.allocUnsafeSlow(16 * 1024);
  private at = BLOB_HEADER;
  private records = 0;

  append(key: Uint8Array | null, value: Uint8Array | null, timestampMs: number, headers: Headers | undefined): void {
    const encoded = headers === undefined || headers.length === 0 ? undefined : encodeHeaders(headers);
    const size = RECORD_HEADER + (key?.length ?? 0) + (value?.length ?? 0) + (encoded?.length ?? 0);
    if (this.records === RECORDS_MAX || (this.records > 0 && this.at + size > BYTES_MAX)) this.seal();
    this.reserve(size);
    const { buffer } = this;
    let { at } = this;
    buffer.writeDoubleLE(timestampMs, at);
    buffer.writeInt32LE(key === null ? -1 : key.length, at + 8);
    buffer.writeInt32LE(value === null ? -1 : value.length, at + 12);
    buffer.writeUInt16LE(headers?.length ?? 0, at + 16);
    at += RECORD_HEADER;
    if (key !== null) at = copyInto(buffer, at, key);
    if (value !== null) at = copyInto(buffer, at, value);
    if (encoded !== undefined) at = copyInto(buffer, at, encoded);
    this.at = at;
    this.records++;
  }

  take(): readonly Blob[] {
    if (this.records > 0) this.seal();
    const taken = this.sealed;
    this.sealed = [];
    return taken;
  }

  private seal(): void {
    this.buffer.fill(0, 0, BLOB_HEADER);
    this.buffer[0] = VERSION;
    this.buffer.writeUInt32LE(this.records, 4);
    const bytes = Buffer.allocUnsafeSlow(this.at);
    this.buffer.copy(bytes, 0, 0, this.at);
    this.sealed.push({ records: this.records, bytes });
    this.at = BLOB_HEADER;
    this.records = 0;
  }

  private reserve(size: number): void {
    if (this.at + size <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.at + size));
    this.buffer.copy(grown, 0, 0, this.at);
    this.buffer = grown;
  }
}

function copyInto(buffer: Buffer, at: number, bytes: Uint8Array): number {
  if (bytes.length < SHORT) for (let i = 0; i < bytes.length; i++) buffer[at + i] = bytes[i] as number;
  else buffer.set(bytes, at);
  return at + bytes.length;
}

function encodeHeaders(headers: Headers): Buffer {
  const parts: Uint8Array[] = [];
  for (const [name, value] of headers) {
    const nameBytes = Buffer.from(name);
    const lengths = Buffer.allocUnsafe(6);
    lengths.writeUInt16LE(nameBytes.length, 0);
    lengths.writeUInt32LE(value.length, 2);
    parts.push(lengths, nameBytes, value);
  }
  return Buffer.concat(parts);
}

const keys = new RecentBytes();

/** Reads the records of one blob in order. What it hands out are views of the blob's bytes. */
export class BlobReader {
  readonly count: number;
  private read = 0;
  private at = BLOB_HEADER;

  constructor(
    private readonly bytes: Buffer,
    private readonly base: number,
  ) {
    if (bytes.length < BLOB_HEADER || bytes[0] !== VERSION) throw damaged(base, `version ${bytes[0]}`);
    this.count = bytes.readUInt32LE(4);
  }

  /** Offset of the record that `next` gives. */
  get offset(): number {
    return this.base + this.read;
  }

  get done(): boolean {
    return this.read === this.count;
  }

  /** Moves on to an offset of this blob, cheaper than reading up to it. */
  skipTo(offset: number): void {
    while (this.offset < offset && !this.done) {
      const { bytes, at } = this;
      const headers = bytes.readUInt16LE(at + 16);
      const next =
        at + RECORD_HEADER + Math.max(0, bytes.readInt32LE(at + 8)) + Math.max(0, bytes.readInt32LE(at + 12));
      this.at = headers === 0 ? next : this.readHeaders(next, headers).end;
      this.read++;
    }
  }

  /** The newest timestamp of the records from here on; the reader is at the end then. */
  newestMs(): number {
    let newest = Number.NEGATIVE_INFINITY;
    while (!this.done) {
      newest = Math.max(newest, this.bytes.readDoubleLE(this.at));
      this.skipTo(this.offset + 1);
    }
    return newest;
  }

  next(): RawRecord {
    const { bytes, at } = this;
    if (at + RECORD_HEADER > bytes.length) throw damaged(this.base, 'it is truncated');
    const timestampMs = bytes.readDoubleLE(at);
    const keyLength = bytes.readInt32LE(at + 8);
    const valueLength = bytes.readInt32LE(at + 12);
    const headerCount = bytes.readUInt16LE(at + 16);
    const keyAt = at + RECORD_HEADER;
    const valueAt = keyAt + Math.max(0, keyLength);
    const end = valueAt + Math.max(0, valueLength);
    if (end > bytes.length) throw damaged(this.base, 'a length exceeds its end');
    const offset = this.base + this.read++;
    const key = keyLength < 0 ? null : keys.at(bytes, keyAt, valueAt);
    const value = valueLength < 0 ? null : bytes.subarray(valueAt, end);
    if (headerCount === 0) {
      this.at = end;
      return { offset, timestampMs, key, value, headers: undefined };
    }
    const { headers, end: headersEnd } = this.readHeaders(end, headerCount);
    this.at = headersEnd;
    return { offset, timestampMs, key, value, headers };
  }

  private readHeaders(from: number, count: number): { headers: Headers; end: number } {
    const { bytes } = this;
    const headers: [string, Uint8Array][] = [];
    let at = from;
    for (let i = 0; i < count; i++) {
      const nameLength = bytes.readUInt16LE(at);
      const valueLength = bytes.readUInt32LE(at + 2);
      const valueAt = at + 6 + nameLength;
      headers.push([bytes.toString('utf8', at + 6, valueAt), bytes.subarray(valueAt, valueAt + valueLength)]);
      at = valueAt + valueLength;
    }
    return { headers, end: at };
  }
}

/** Records as blobs, to be passed on: few pieces of bytes, where each record would be several. */
export function packRecords(records: Iterable<OutgoingRecord>): Uint8Array[] {
  const writer = new BlobWriter();
  for (const { key, value, timestampMs, headers } of records) writer.append(key, value, timestampMs, headers);
  return writer.take().map(({ bytes }) => bytes);
}

/** The records that `packRecords` was given, as views of the blobs. */
export function unpackRecords(blobs: readonly Uint8Array[]): RawRecord[] {
  const records: RawRecord[] = [];
  for (const { buffer, byteOffset, length } of blobs) {
    const reader = new BlobReader(Buffer.from(buffer, byteOffset, length), 0);
    while (!reader.done) records.push(reader.next());
  }
  return records;
}

const damaged = (base: number, problem: string): MillraceError =>
  new MillraceError('state', `the log's blob at offset ${base} is damaged: ${problem}`, {
    hint: 'the store was written by another version, or its disk fails: restore the folder from a backup',
    permanent: true,
  });
