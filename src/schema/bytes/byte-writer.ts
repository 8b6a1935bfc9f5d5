const SLAB_SIZE = 64 * 1024;

const eight = new Uint8Array(8);
const asDouble = new Float64Array(eight.buffer);
const asFloat = new Float32Array(eight.buffer);

/** Whether a number is finite as a 32-bit float. */
export const fitsFloat = (value: number): boolean => !Number.isFinite(value) || Number.isFinite(Math.fround(value));

/** A value that a schema cannot represent, with the reason and the field. */
export class Unrepresentable extends Error {
  override readonly name = 'Unrepresentable';
}

/**
 * Writes payloads one after another into slabs, and returns them as views: no copy, and one allocation per 64 KiB. Returned bytes are
 * never changed again.
 */
export class ByteWriter {
  buffer: Buffer = Buffer.allocUnsafeSlow(SLAB_SIZE);
  at = 0;
  /** The field being written, for messages. */
  field = '';
  private start = 0;

  begin(): void {
    this.start = this.at;
    this.field = '';
  }

  finish(): Buffer {
    const whole = this.buffer.subarray(this.start, this.at);
    if (whole.length <= SLAB_SIZE) return whole;
    // A large payload gets a slab of its own, so that neither it nor later payloads keep the other's memory alive.
    this.buffer = Buffer.allocUnsafeSlow(SLAB_SIZE);
    this.at = 0;
    return whole;
  }

  /** Discards what was written since `begin`. */
  abandon(): void {
    this.at = this.start;
  }

  /** The error for a value, with the path of its field. */
  unrepresentable(value: unknown, wanted: string): Unrepresentable {
    const where = this.field === '' ? '' : `field ${this.field}: `;
    return new Unrepresentable(`${where}${shown(value)} is not ${wanted}`);
  }

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    if (this.at + size <= this.buffer.length) return;
    const used = this.at - this.start;
    const next = Buffer.allocUnsafeSlow(Math.max(SLAB_SIZE, 2 * (used + size)));
    this.buffer.copy(next, 0, this.start, this.at);
    this.buffer = next;
    this.start = 0;
    this.at = used;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  float(value: number): void {
    this.reserve(4);
    asFloat[0] = value;
    for (let i = 0; i < 4; i++) this.buffer[this.at + i] = eight[i] as number;
    this.at += 4;
  }

  double(value: number): void {
    this.reserve(8);
    asDouble[0] = value;
    for (let i = 0; i < 8; i++) this.buffer[this.at + i] = eight[i] as number;
    this.at += 8;
  }

  fixed32(value: number): void {
    this.reserve(4);
    this.at = this.buffer.writeInt32LE(value | 0, this.at);
  }

  fixed64(value: bigint): void {
    this.reserve(8);
    this.at = this.buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.at);
  }

  /** A safe integer of 0 or more as a varint. */
  unsigned(value: number): void {
    this.reserve(8);
    const { buffer } = this;
    let { at } = this;
    let rest = value;
    while (rest >= 0x80) {
      buffer[at++] = (rest % 0x80) | 0x80;
      rest = rest < 0x8000_0000 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    buffer[at++] = rest;
    this.at = at;
  }

  /** The lower 64 bits as a varint. */
  unsigned64(value: bigint): void {
    if (value >= 0n && value <= 0x1f_ffff_ffff_ffffn) {
      this.unsigned(Number(value));
      return;
    }
    let rest = BigInt.asUintN(64, value);
    this.reserve(10);
    while (rest >= 0x80n) {
      this.buffer[this.at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.at++] = Number(rest);
  }

  /** A safe integer as a zig-zag varint. */
  zigzag(value: number): void {
    if (value >= -0x4000_0000 && value < 0x4000_0000) {
      let rest = ((value << 1) ^ (value >> 31)) >>> 0;
      this.reserve(5);
      const { buffer } = this;
      let { at } = this;
      while (rest >= 0x80) {
        buffer[at++] = (rest & 0x7f) | 0x80;
        rest >>>= 7;
      }
      buffer[at++] = rest;
      this.at = at;
      return;
    }
    // Twice the number would not be exact, so the lowest group is written separately.
    const half = value < 0 ? -(value + 1) : value;
    const first = ((half % 0x40) << 1) | (value < 0 ? 1 : 0);
    this.byte(first | 0x80);
    this.unsigned(Math.floor(half / 0x40));
  }

  zigzag64(value: bigint): void {
    this.unsigned64(value >= 0n ? value << 1n : (-value << 1n) - 1n);
  }

  /** A length and then UTF-8. `shift` is 1 if lengths are zigzag. */
  text(text: string, shift: 0 | 1): void {
    if (text.length < 32 && this.ascii(text, shift)) return;
    if (!text.isWellFormed()) throw new Unrepresentable('half of a surrogate pair has no UTF-8');
    const size = Buffer.byteLength(text);
    this.reserve(8 + size);
    this.unsigned(shift === 1 ? size * 2 : size);
    this.at += this.buffer.write(text, this.at, size);
  }

  private ascii(text: string, shift: 0 | 1): boolean {
    const { length } = text;
    this.reserve(1 + length);
    const { buffer, at } = this;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      buffer[at + 1 + i] = code;
    }
    buffer[at] = length << shift;
    this.at = at + 1 + length;
    return true;
  }

  /** Reserves a byte for the length that `sized` writes. */
  fork(): number {
    this.byte(0);
    return this.at - this.start;
  }

  /** Writes the number of bytes since the `fork` that returned `mark`. If it needs more than a byte, those bytes are moved. */
  sized(mark: number): void {
    const from = this.start + mark;
    const size = this.at - from;
    if (size < 0x80) {
      this.buffer[from - 1] = size;
      return;
    }
    const extra = size < 0x4000 ? 1 : size < 0x20_0000 ? 2 : size < 0x1000_0000 ? 3 : 4;
    this.reserve(extra);
    const begin = this.start + mark;
    this.buffer.copyWithin(begin + extra, begin, this.at);
    this.at = begin - 1;
    this.unsigned(size);
    this.at = begin + extra + size;
  }
}

function shown(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'object' && value !== null) return `a ${value.constructor?.name ?? 'value'}`;
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
