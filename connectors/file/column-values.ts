import type { ByteReader } from '../../src/schema/bytes/byte-reader.js';

// The values of a column of a row group, collected one by one out of packed rows in the form that Parquet has them in.

/** Bytes of values in a page, about. */
const PAGE_BYTES = 1024 * 1024;
/** From so many different values on it is asked whether a dictionary pays. */
const DISTINCT_MIN = 1_000;
const FIRST_ROOM = 1_024;

/** Values that are there, of a row group. */
export interface Collected {
  readonly present: number;
  /** Where values come again and again: each once, and the place of each value among them. */
  readonly dictionary: { readonly count: number; readonly bytes: Uint8Array; readonly places: Int32Array } | undefined;
  /** Otherwise: one after another, in pages. */
  readonly pages: readonly { readonly count: number; readonly bytes: Uint8Array }[];
  readonly min: unknown;
  readonly max: unknown;
}

/** Collects values. Memory: those of a row group, kept for the next one. */
export interface Collector {
  /** Takes the next value from a packed row. */
  read(reader: ByteReader): void;
  /** What was collected; begins anew. */
  take(): Collected;
}

/** Whether a dictionary takes at most half of what the values take, which pays for the way through it. */
const pays = (count: number, dictionaryBytes: number, values: number, valueBytes: number): boolean =>
  2 * (dictionaryBytes + Math.ceil((values * widthOf(count)) / 8)) <= valueBytes;

/** Bits of a place among so many. */
export const widthOf = (count: number): number => Math.max(1, 32 - Math.clz32(count - 1));

const NUMBER_BYTES = 8;

function numberPages(bytes: Uint8Array): Collected['pages'] {
  const pages: { count: number; bytes: Uint8Array }[] = [];
  for (let from = 0; from < bytes.length; from += PAGE_BYTES) {
    const some = bytes.subarray(from, from + PAGE_BYTES);
    pages.push({ count: some.length / NUMBER_BYTES, bytes: some });
  }
  return pages;
}

/** Numbers of eight bytes: `read` gives them, `pack` has their bytes. */
export class Numbers implements Collector {
  private values = new Float64Array(FIRST_ROOM);
  private places = new Int32Array(FIRST_ROOM);
  private count = 0;
  private distinct: number[] = [];
  private known = new Map<number, number>();
  private hasDictionary = true;

  constructor(
    private readonly next: (reader: ByteReader) => number,
    private readonly pack: (values: Float64Array) => Uint8Array,
    /** Of the least and the greatest value, as the library writes them. */
    private readonly bound: (value: number) => unknown,
  ) {}

  read(reader: ByteReader): void {
    const value = this.next(reader);
    const { count } = this;
    if (count === this.values.length) {
      this.values = grown(this.values, new Float64Array(2 * count));
      this.places = grown(this.places, new Int32Array(2 * count));
    }
    this.values[count] = value;
    this.count = count + 1;
    if (!this.hasDictionary) return;
    let place = this.known.get(value);
    if (place === undefined) {
      place = this.distinct.push(value) - 1;
      this.known.set(value, place);
      const tooMany = place >= DISTINCT_MIN && 2 * place > count;
      // A map takes both zeros for one.
      if (tooMany || Object.is(value, -0)) this.hasDictionary = false;
    } else if (value === 0 && Object.is(value, -0)) this.hasDictionary = false;
    this.places[count] = place;
  }

  take(): Collected {
    const { count, distinct } = this;
    const values = this.values.subarray(0, count);
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const value = values[i] as number;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    const bytes = NUMBER_BYTES * distinct.length;
    const paysOff = this.hasDictionary && count > 0 && pays(distinct.length, bytes, count, NUMBER_BYTES * count);
    const collected: Collected = {
      present: count,
      dictionary: paysOff
        ? { count: distinct.length, bytes: this.pack(Float64Array.from(distinct)), places: this.places.slice(0, count) }
        : undefined,
      pages: paysOff ? [] : numberPages(this.pack(values)),
      min: count > 0 ? this.bound(min) : undefined,
      max: count > 0 ? this.bound(max) : undefined,
    };
    this.count = 0;
    this.distinct = [];
    this.known = new Map();
    this.hasDictionary = true;
    return collected;
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

export const doubleBytes = (values: Float64Array): Uint8Array => bytesOf(values.slice());

/** Whole numbers in 64 bits. */
export function integerBytes(values: Float64Array): Uint8Array {
  const words = new Int32Array(2 * values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    words[2 * i] = value; // of what is beyond 32 bits the lower ones
    words[2 * i + 1] = Math.floor(value / 2 ** 32);
  }
  return bytesOf(words);
}

/** Whole numbers that `number` may have no room for. */
export class Bigints implements Collector {
  private values = new BigInt64Array(FIRST_ROOM);
  private count = 0;

  read(reader: ByteReader): void {
    const { count } = this;
    if (count === this.values.length) this.values = grown(this.values, new BigInt64Array(2 * count));
    this.values[count] = reader.zigzag64();
    this.count = count + 1;
  }

  take(): Collected {
    const values = this.values.slice(0, this.count);
    let [min] = values;
    let max = min;
    for (const value of values) {
      if (value < (min as bigint)) min = value;
      if (value > (max as bigint)) max = value;
    }
    this.count = 0;
    return { present: values.length, dictionary: undefined, pages: numberPages(bytesOf(values)), min, max };
  }
}

/** Eight in a byte. */
export class Booleans implements Collector {
  private values = new Uint8Array(FIRST_ROOM);
  private count = 0;

  read(reader: ByteReader): void {
    const { count } = this;
    if (count === this.values.length) this.values = grown(this.values, new Uint8Array(2 * count));
    this.values[count] = reader.byte();
    this.count = count + 1;
  }

  take(): Collected {
    const values = this.values.subarray(0, this.count);
    this.count = 0;
    return {
      present: values.length,
      dictionary: undefined,
      pages: [{ count: values.length, bytes: bitsOf(values) }],
      min: values.length > 0 ? !values.includes(0) : undefined,
      max: values.length > 0 ? values.includes(1) : undefined,
    };
  }
}

/** A bit for each 0 or 1, the first one lowest. */
export function bitsOf(values: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(values.length / 8));
  for (let i = 0; i < values.length; i++) bits[i >> 3] = (bits[i >> 3] as number) | ((values[i] as number) << (i & 7));
  return bits;
}

const LENGTH_BYTES = 4;

/** Texts in UTF-8, which they are in the packed row already: none becomes a text of JavaScript on the way. */
export class Texts implements Collector {
  /** Each text once, behind its length. */
  private pool: Buffer = Buffer.allocUnsafeSlow(FIRST_ROOM);
  private poolBytes = 0;
  /** Where each of them begins, behind its length. */
  private starts: number[] = [];
  /** Places by hash, plus one; at most half of it is taken. */
  private table = new Int32Array(2 * FIRST_ROOM);
  private places = new Int32Array(FIRST_ROOM);
  private count = 0;
  private hasDictionary = true;
  /** All texts behind their lengths, where there is no dictionary. */
  private plain: Buffer = Buffer.alloc(0);
  private plainBytes = 0;
  private cuts: { readonly count: number; readonly bytes: number }[] = [];
  private valueBytes = 0;
  private min: Buffer | undefined;
  private max: Buffer | undefined;

  read(reader: ByteReader): void {
    const size = reader.unsigned();
    const from = reader.skip(size);
    this.valueBytes += LENGTH_BYTES + size;
    if (!this.hasDictionary) {
      this.append(reader.bytes, from, size);
      return;
    }
    const { count } = this;
    if (count === this.places.length) this.places = grown(this.places, new Int32Array(2 * count));
    this.places[count] = this.placeOf(reader.bytes, from, size);
    this.count = count + 1;
    const distinct = this.starts.length;
    if (distinct > DISTINCT_MIN && 2 * distinct > count) this.giveUp();
  }

  take(): Collected {
    const { starts, poolBytes } = this;
    if (this.count === 0 || (this.hasDictionary && !pays(starts.length, poolBytes, this.count, this.valueBytes))) {
      this.giveUp();
    }
    const collected: Collected = {
      present: this.count,
      dictionary: this.hasDictionary
        ? { count: starts.length, bytes: this.pool.subarray(0, poolBytes), places: this.places.slice(0, this.count) }
        : undefined,
      pages: this.hasDictionary ? [] : this.pages(),
      min: this.min,
      max: this.max,
    };
    // What was handed out is not written to again.
    this.pool = Buffer.allocUnsafeSlow(FIRST_ROOM);
    this.poolBytes = 0;
    this.starts = [];
    this.table = new Int32Array(2 * FIRST_ROOM);
    this.count = 0;
    this.hasDictionary = true;
    this.plain = Buffer.alloc(0);
    this.plainBytes = 0;
    this.cuts = [];
    this.valueBytes = 0;
    this.min = undefined;
    this.max = undefined;
    return collected;
  }

  private placeOf(bytes: Buffer, from: number, size: number): number {
    const { table } = this;
    const mask = table.length - 1;
    let at = hashOf(bytes, from, size) & mask;
    for (let place = table[at] as number; place !== 0; place = table[at] as number) {
      if (this.isAt(place - 1, bytes, from, size)) return place - 1;
      at = (at + 1) & mask;
    }
    const place = this.starts.length;
    this.pool = withRoom(this.pool, this.poolBytes, LENGTH_BYTES + size);
    this.poolBytes = put(this.pool, this.poolBytes, bytes, from, size);
    this.starts.push(this.poolBytes - size);
    table[at] = place + 1;
    this.bound(bytes, from, size);
    if (2 * this.starts.length > table.length) this.widen();
    return place;
  }

  private sizeOf(place: number): number {
    return this.pool.readUInt32LE((this.starts[place] as number) - LENGTH_BYTES);
  }

  private isAt(place: number, bytes: Buffer, from: number, size: number): boolean {
    if (this.sizeOf(place) !== size) return false;
    const { pool } = this;
    const start = this.starts[place] as number;
    for (let i = 0; i < size; i++) if (pool[start + i] !== bytes[from + i]) return false;
    return true;
  }

  private widen(): void {
    const table = new Int32Array(2 * this.table.length);
    const mask = table.length - 1;
    for (let place = 0; place < this.starts.length; place++) {
      let at = hashOf(this.pool, this.starts[place] as number, this.sizeOf(place)) & mask;
      while (table[at] !== 0) at = (at + 1) & mask;
      table[at] = place + 1;
    }
    this.table = table;
  }

  /** Goes on without a dictionary: the texts so far stand one after another, as if there never had been one. */
  private giveUp(): void {
    this.hasDictionary = false;
    const { count } = this;
    this.count = 0;
    for (let i = 0; i < count; i++) {
      const place = this.places[i] as number;
      this.append(this.pool, this.starts[place] as number, this.sizeOf(place));
    }
  }

  private append(bytes: Buffer, from: number, size: number): void {
    this.plain = withRoom(this.plain, this.plainBytes, LENGTH_BYTES + size);
    this.plainBytes = put(this.plain, this.plainBytes, bytes, from, size);
    this.count += 1;
    const last = this.cuts[this.cuts.length - 1];
    if (this.plainBytes - (last?.bytes ?? 0) >= PAGE_BYTES)
      this.cuts.push({ count: this.count, bytes: this.plainBytes });
    this.bound(bytes, from, size);
  }

  /** Keeps the least and the greatest: by bytes, which is by code points. */
  private bound(bytes: Buffer, from: number, size: number): void {
    const { min, max } = this;
    if (min === undefined || compared(bytes, from, size, min) < 0) this.min = copyOf(bytes, from, size);
    if (max === undefined || compared(bytes, from, size, max) > 0) this.max = copyOf(bytes, from, size);
  }

  private pages(): Collected['pages'] {
    const pages: { count: number; bytes: Uint8Array }[] = [];
    let done = { count: 0, bytes: 0 };
    for (const cut of [...this.cuts, { count: this.count, bytes: this.plainBytes }]) {
      if (cut.count === done.count) continue;
      pages.push({ count: cut.count - done.count, bytes: this.plain.subarray(done.bytes, cut.bytes) });
      done = cut;
    }
    return pages;
  }
}

/** Negative where the text comes before `other`. */
function compared(bytes: Uint8Array, from: number, size: number, other: Uint8Array): number {
  const shared = Math.min(size, other.length);
  for (let i = 0; i < shared; i++) {
    const difference = (bytes[from + i] as number) - (other[i] as number);
    if (difference !== 0) return difference;
  }
  return size - other.length;
}

const copyOf = (bytes: Buffer, from: number, size: number): Buffer => Buffer.from(bytes.subarray(from, from + size));

/** FNV-1a. */
function hashOf(bytes: Uint8Array, from: number, size: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < from + size; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}

/** Writes a text behind its length. */
function put(into: Buffer, at: number, bytes: Buffer, from: number, size: number): number {
  into[at] = size;
  into[at + 1] = size >>> 8;
  into[at + 2] = size >>> 16;
  into[at + 3] = size >>> 24;
  const start = at + LENGTH_BYTES;
  // A call into native code costs more than a short loop.
  if (size > 32) bytes.copy(into, start, from, from + size);
  else for (let i = 0; i < size; i++) into[start + i] = bytes[from + i] as number;
  return start + size;
}

function withRoom(buffer: Buffer, used: number, more: number): Buffer {
  if (used + more <= buffer.length) return buffer;
  const next = Buffer.allocUnsafeSlow(Math.max(FIRST_ROOM, 2 * (used + more)));
  buffer.copy(next, 0, 0, used);
  return next;
}

function grown<A extends { set(from: A): void }>(from: A, into: A): A {
  into.set(from);
  return into;
}
