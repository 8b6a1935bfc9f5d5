import { unreadable } from '../codec.js';
import { setWord, wordAt } from './keyed-hash.js';
import { keyEnd } from './packed-key.js';
import type { SliceSegment } from './time-slices.js';

// An entry is the time of its write, counted from the start of the slice (32 bits, little-endian), and the key.

const TIME_BYTES = 4;
/** The time of a removed entry. */
const GONE = 0xffff_ffff;
export const POSITION_BITS = 12;
/** An entry begins before it: what one new key rewrites, unless keys are long. */
export const RUN_BYTES = 1 << POSITION_BITS;
/** Its memory: little at first, for slices with few keys, then all of it with room for the end of a short last key. */
const ROOMS = [RUN_BYTES / 4, RUN_BYTES + 32];
const NOTHING = new Uint8Array(0);

/** A segment of an `AgedSet`: entries as consecutive bytes, in the order of their writes. */
export class KeyRun implements SliceSegment {
  bytes: Uint8Array = NOTHING;
  /** The end of the entries. */
  used = 0;
  size = 0;
  id = 0;
  startMs = 0;
  spanMs = 0;
  changed = false;
  stored = false;
  /** No entry before it exists. */
  private first = 0;

  constructor(
    /** With the position of an entry, this is its place. */
    readonly slot: number,
  ) {}

  get isFull(): boolean {
    return this.used >= RUN_BYTES;
  }

  clear(): void {
    if (this.bytes.length > 2 * RUN_BYTES) this.bytes = NOTHING;
    this.used = 0;
    this.size = 0;
    this.first = 0;
  }

  /** Adds the entry of a key, the first `length` bytes of these, and returns its position. */
  append(key: Uint8Array, length: number, offsetMs: number): number {
    const at = this.used;
    this.used = at + TIME_BYTES + length;
    if (this.used > this.bytes.length) this.grow();
    this.setOffset(at, offsetMs);
    const { bytes } = this;
    for (let i = 0, to = at + TIME_BYTES; i < length; i++, to++) bytes[to] = key[i] as number;
    this.size++;
    return at;
  }

  /** Whether the entry at this position has this key. */
  hasKey(at: number, key: Uint8Array, length: number): boolean {
    const { bytes } = this;
    for (let i = 0, from = at + TIME_BYTES; i < length; i++, from++) if (bytes[from] !== key[i]) return false;
    return true; // its head has its length
  }

  keyAt(at: number): number {
    return at + TIME_BYTES;
  }

  endOf(at: number): number {
    return keyEnd(this.bytes, at + TIME_BYTES);
  }

  /** The time of a write, counted from `startMs`. */
  offsetAt(at: number): number {
    return wordAt(this.bytes, at) >>> 0;
  }

  setOffset(at: number, offsetMs: number): void {
    setWord(this.bytes, at, offsetMs | 0);
  }

  remove(at: number): void {
    this.setOffset(at, GONE);
    this.size--;
  }

  /** The oldest entry of a segment that is not empty. */
  oldest(): number {
    this.first = this.next(this.first);
    return this.first;
  }

  /** The first existing entry from a position on; `used` if there is none. */
  next(from: number): number {
    let at = from;
    while (at < this.used && this.offsetAt(at) === GONE) at = this.endOf(at);
    return at;
  }

  /**
   * Takes the entries of a stored segment, whose bytes now belong to this one.
   *
   * @throws MillraceError `state` if they are damaged.
   */
  take(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.used = bytes.length;
    for (let at = 0; at < bytes.length; at = this.endOf(at)) {
      if (!(this.endOf(at) <= bytes.length)) throw unreadable('an entry reaches beyond the end of its bucket');
      if (this.offsetAt(at) !== GONE) this.size++;
    }
  }

  private grow(): void {
    const { bytes, used } = this;
    this.bytes = new Uint8Array(ROOMS.find((room) => used <= room) ?? used);
    this.bytes.set(bytes);
  }
}
