import { DecodeFailure } from '../failures.js';
import { textOf } from '../plain/utf8.js';

/** The maximum nesting of a payload, far below the limit of the stack. */
export const DEPTH_MAX = 64;
/** The most items without bytes (nulls, empty records) in a payload, because its length does not limit them. */
const EMPTY_ITEMS_MAX = 65_536;
/** The most absent fields of messages in a payload, or its number of bytes if that is larger. They take no space in it either. */
const FIELDS_MAX = 2 ** 20;

const SAFE_HIGH_MAX = 2 ** 26 - 1;
const TWO_27 = 2 ** 27;
const TWO_28 = 2 ** 28;

const NOTHING = new Uint8Array(0);
const eight = new Uint8Array(8);
const asDouble = new Float64Array(eight.buffer);
const asFloat = new Float32Array(eight.buffer);

/**
 * Reads one payload from front to end and never beyond it, whatever its lengths claim. Every method throws a `DecodeFailure`; time
 * and memory are linear in the payload's length.
 *
 * The instance is reused for the next payload, so decoding creates no garbage of its own.
 */
export class ByteReader {
  bytes: Uint8Array = NOTHING;
  at = 0;
  end = 0;
  private depth = 0;
  private emptyItems = 0;
  private fieldsLeft = 0;
  // The last varint longer than a byte, in groups of 28 bits, because a JavaScript number does not hold 64 bits.
  private low = 0;
  private middle = 0;
  private high = 0;

  open(bytes: Uint8Array, start: number, end = bytes.length): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.depth = 0;
    this.emptyItems = 0;
    this.fieldsLeft = Math.max(FIELDS_MAX, end - start);
  }

  close(): void {
    if (this.at === this.end) return;
    throw new DecodeFailure('trailing-bytes', `${this.end - this.at} bytes follow the value`);
  }

  enter(): void {
    if (++this.depth > DEPTH_MAX) throw new DecodeFailure('too-deep', `nested deeper than ${DEPTH_MAX}`);
  }

  /** Counts the fields of a message, set or not. Call it before the message is created. */
  fields(count: number): void {
    this.fieldsLeft -= count;
    if (this.fieldsLeft < 0)
      throw new DecodeFailure('too-large', 'messages with more fields than the payload has bytes');
  }

  leave(): void {
    this.depth--;
  }

  /** Skips `size` bytes and returns their start. */
  skip(size: number): number {
    const from = this.at;
    if (size < 0) throw new DecodeFailure('malformed', `a length of ${size}`);
    if (size > this.end - from) {
      throw new DecodeFailure('truncated', `${size} bytes wanted, ${this.end - from} left`);
    }
    this.at = from + size;
    return from;
  }

  byte(): number {
    return this.bytes[this.skip(1)] as number;
  }

  /** A copy, so that changes of a value do not change the record that it came from. */
  take(size: number): Buffer {
    const from = this.skip(size);
    return Buffer.from(this.bytes.subarray(from, from + size));
  }

  text(size: number): string {
    const from = this.skip(size);
    const { bytes } = this;
    if (size < 12) {
      // A call of native code costs more than this.
      let text = '';
      for (let i = from; i < from + size; i++) {
        const code = bytes[i] as number;
        if (code >= 0x80) return this.unicode(from, size);
        text += String.fromCharCode(code);
      }
      return text;
    }
    return this.unicode(from, size);
  }

  private unicode(from: number, size: number): string {
    const text = textOf(this.bytes, from, from + size);
    if (text === undefined) throw new DecodeFailure('malformed', 'a text that is not UTF-8');
    return text;
  }

  float(): number {
    const { bytes } = this;
    const from = this.skip(4);
    for (let i = 0; i < 4; i++) eight[i] = bytes[from + i] as number;
    return asFloat[0] as number;
  }

  double(): number {
    const { bytes } = this;
    const from = this.skip(8);
    for (let i = 0; i < 8; i++) eight[i] = bytes[from + i] as number;
    return asDouble[0] as number;
  }

  /** Four bytes, little-endian, unsigned. */
  fixed32(): number {
    return this.wordAt(this.skip(4));
  }

  fixed64(): bigint {
    const at = this.skip(8);
    return (BigInt(this.wordAt(at + 4)) << 32n) | BigInt(this.wordAt(at));
  }

  private wordAt(at: number): number {
    const { bytes } = this;
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
    return (low | ((bytes[at + 3] as number) << 24)) >>> 0;
  }

  /** Reads a varint into `low`, `middle` and `high`. */
  private groups(): void {
    const { bytes, end } = this;
    let at = this.at;
    let low = 0;
    let middle = 0;
    let high = 0;
    for (let i = 0; i < 10; i++) {
      if (at >= end) {
        this.at = end;
        throw new DecodeFailure('truncated', 'ends within a number');
      }
      const byte = bytes[at++] as number;
      const group = byte & 0x7f;
      if (i < 4) low |= group << (7 * i);
      else if (i < 8) middle |= group << (7 * (i - 4));
      else high |= group << (7 * (i - 8));
      if (byte < 0x80) {
        if (high > 0xff) throw new DecodeFailure('out-of-range', 'a number of more than 64 bits');
        this.at = at;
        this.low = low;
        this.middle = middle;
        this.high = high;
        return;
      }
    }
    throw new DecodeFailure('malformed', 'a number of more than ten bytes');
  }

  /** A zigzag varint as a number; fails beyond 2^53. */
  zigzag(): number {
    const { at } = this;
    if (at < this.end) {
      const first = this.bytes[at] as number;
      if (first < 0x80) {
        this.at = at + 1;
        return (first >>> 1) ^ -(first & 1);
      }
    }
    this.groups();
    const { low, middle, high } = this;
    const half = (low >>> 1) + middle * TWO_27;
    const value = (low & 1) === 1 ? -half - 1 : half;
    if (high > 0 || middle > SAFE_HIGH_MAX || !Number.isSafeInteger(value)) throw unsafe();
    return value;
  }

  /**
   * A zigzag varint in thousands, rounded down: microseconds beyond 2^53, from the year 2255 on, are below that in milliseconds.
   */
  zigzagThousands(): number {
    const { at } = this;
    this.groups();
    if (this.high > 0 || this.middle > SAFE_HIGH_MAX) {
      this.at = at;
      const value = this.zigzag64();
      return Number(value / 1_000n) - (value < 0n && value % 1_000n !== 0n ? 1 : 0);
    }
    this.at = at;
    return Math.floor(this.zigzag() / 1_000);
  }

  /** A zigzag varint of at most 32 bits. */
  zigzag32(): number {
    const value = this.zigzag();
    if (value !== (value | 0)) throw new DecodeFailure('out-of-range', `an int of ${value}`);
    return value;
  }

  zigzag64(): bigint {
    const unsigned = this.unsigned64();
    return (unsigned >> 1n) ^ -(unsigned & 1n);
  }

  /** A varint as a number that is not negative; fails beyond 2^53. */
  unsigned(): number {
    const { at } = this;
    if (at < this.end) {
      const first = this.bytes[at] as number;
      if (first < 0x80) {
        this.at = at + 1;
        return first;
      }
    }
    this.groups();
    const { low, middle, high } = this;
    if (high > 0 || middle >= 2 ** 25) throw unsafe();
    return low + middle * TWO_28;
  }

  unsigned64(): bigint {
    this.groups();
    const { low, middle, high } = this;
    if (high === 0 && middle < 2 ** 25) return BigInt(low + middle * TWO_28);
    return BigInt(low) | (BigInt(middle) << 28n) | (BigInt(high) << 56n);
  }

  /** A varint in two's complement of 64 bits as a number; fails beyond 2^53. */
  signed(): number {
    const { at } = this;
    if (at < this.end) {
      const first = this.bytes[at] as number;
      if (first < 0x80) {
        this.at = at + 1;
        return first;
      }
    }
    this.groups();
    const { low, middle, high } = this;
    if (high < 0x80) {
      if (high > 0 || middle >= 2 ** 25) throw unsafe();
      return low + middle * TWO_28;
    }
    const inverse = (middle ^ 0xfff_ffff) * TWO_28 + (low ^ 0xfff_ffff);
    if (high !== 0xff || inverse >= Number.MAX_SAFE_INTEGER) throw unsafe();
    return -inverse - 1;
  }

  /** The lower 32 bits of a varint as a signed number, as Protobuf reads an `int32`. */
  lower32(): number {
    const { at } = this;
    if (at < this.end) {
      const first = this.bytes[at] as number;
      if (first < 0x80) {
        this.at = at + 1;
        return first;
      }
    }
    this.groups();
    return this.low | (this.middle << 28);
  }

  /** Checks a claimed number of items against the remaining bytes. */
  count(items: number): void {
    if (items > this.end - this.at + EMPTY_ITEMS_MAX) {
      throw new DecodeFailure('too-large', `${items} items in ${this.end - this.at} bytes`);
    }
  }

  /** Counts an item without bytes. Call it after each item, with the position `before` it. */
  item(before: number): void {
    if (this.at === before && ++this.emptyItems > EMPTY_ITEMS_MAX) {
      throw new DecodeFailure('too-large', `more than ${EMPTY_ITEMS_MAX} items without bytes`);
    }
  }
}

export const unsafe = (): DecodeFailure =>
  new DecodeFailure(
    'out-of-range',
    "a number of 2^53 or more: give the schema `long: 'bigint'`; if it is a time, `timestamp: 'date'`",
  );
