import { pack, packInt, readInt, unpack, unreadable } from '../codec.js';
import { isKey, keyBytesMax, keyEnd, readKey, readVarint, varintEnd, writeKey, writeVarint } from './packed-key.js';

// An entry is its key's hash (32 bits, little-endian), the key, and the value's head as a varint: 0 for a removed key, 1 for the
// value `true`, otherwise one more than the length of the MessagePack that follows.

const HASH_BYTES = 4;
const GONE = 0;
const TRUE = 1;
const SLOTS_LEAST = 8;
const NOTHING = new Uint8Array(0);

/**
 * A map whose entries are stored as consecutive bytes, in the order of their writes, with an index of each key's newest entry. So a
 * range of bytes can be stored and restored unchanged.
 *
 * Millions of entries cost the garbage collector nothing. Memory: the entries, overwritten ones until the next `moveTo`, a quarter
 * more for growth, and 6 to 12 bytes per key.
 */
export class PackedEntries {
  /** The end of the entries. */
  used = 0;
  /** The number of keys, and the size of their entries. */
  count = 0;
  liveBytes = 0;
  /** Positions of entries, from 1; 0 for a free slot. */
  private slots = new Uint32Array(SLOTS_LEAST);
  private occupied = 0;
  private bytes: Uint8Array = NOTHING;

  /** Reserves room for a known number of bytes and entries. */
  reserve(bytes: number, entries: number): void {
    if (bytes > this.bytes.length) this.grow(bytes);
    if (2 * this.slots.length < 3 * entries) this.rehash(entries);
  }

  /** The position of a key's newest entry, or -1 for a missing key. */
  find(hash: number, key: string | number): number {
    const at = (this.slots[this.slotOf(hash, key)] as number) - 1;
    return at >= 0 && this.headAt(at) === GONE ? -1 : at;
  }

  valueAt(at: number): unknown {
    const head = keyEnd(this.bytes, at + HASH_BYTES);
    const length = readVarint(this.bytes, head);
    if (length === TRUE) return true;
    const start = varintEnd(this.bytes, head);
    return readInt(this.bytes, start) ?? unpack(this.bytes, start, start + length - 1);
  }

  set(hash: number, key: string | number, value: unknown): void {
    const packed = value === true ? NOTHING : (packInt(value) ?? pack(value));
    this.write(hash, key, value === true ? TRUE : packed.length + 1, packed);
  }

  /** Records the removal of a key; does nothing if the key is missing. */
  remove(hash: number, key: string | number): void {
    if (this.slots[this.slotOf(hash, key)] !== 0) this.write(hash, key, GONE, NOTHING);
  }

  /** A copy of the bytes from `start`, after `room` free bytes. */
  copyFrom(start: number, room: number): Uint8Array {
    const copy = new Uint8Array(room + this.used - start);
    copy.set(this.bytes.subarray(start, this.used), room);
    return copy;
  }

  /**
   * Adds entries of `copyFrom`, which are newer than the existing ones. An empty map without room takes ownership of the bytes
   * instead of copying them.
   *
   * @throws MillraceError `state` if they are damaged.
   */
  takeIn(bytes: Uint8Array): void {
    const start = this.used;
    if (start === 0 && bytes.length >= this.bytes.length) this.bytes = bytes;
    else {
      this.room(bytes.length);
      this.bytes.set(bytes, start);
    }
    const end = start + bytes.length;
    for (let at = start; at < end; at = this.used) {
      this.used = this.endOf(at);
      if (!(this.used <= end)) throw unreadable('an entry reaches beyond the end of its bucket');
      this.list(at, this.slotOfEntry(at));
    }
  }

  /** Copies the existing entries, oldest write first, to the map that `target` returns for the hash of the key. */
  moveTo(target: (hash: number) => PackedEntries): void {
    for (let at = 0; at < this.used; at = this.endOf(at)) {
      if (this.headAt(at) === GONE || !this.isNewest(at)) continue;
      target(this.hashAt(at)).append(this.bytes, at, this.endOf(at));
    }
  }

  /** Every key with its hash and its value, in no order. */
  *entries(): Generator<{ readonly hash: number; readonly key: string | number; readonly at: number }> {
    for (const place of this.slots) {
      const at = place - 1;
      if (at >= 0 && this.headAt(at) !== GONE)
        yield { hash: this.hashAt(at), key: readKey(this.bytes, at + HASH_BYTES), at };
    }
  }

  private write(hash: number, key: string | number, head: number, value: Uint8Array): void {
    this.room(HASH_BYTES + keyBytesMax(key) + 5 + value.length);
    const { bytes } = this;
    const at = this.used;
    for (let i = 0; i < HASH_BYTES; i++) bytes[at + i] = hash >>> (8 * i);
    const start = writeVarint(bytes, writeKey(bytes, at + HASH_BYTES, key), head);
    copy(value, 0, value.length, bytes, start);
    this.used = start + value.length;
    this.list(at, this.slotOf(hash, key));
  }

  /** Adds an entry of another map, whose key is not in this one. */
  private append(from: Uint8Array, start: number, end: number): void {
    this.room(end - start);
    const at = this.used;
    copy(from, start, end, this.bytes, at);
    this.used = at + end - start;
    this.list(at, freeSlot(this.slots, this.hashAt(at)));
  }

  /** Sets a slot to the entry at `at`, the last one written. */
  private list(at: number, slot: number): void {
    const before = (this.slots[slot] as number) - 1;
    if (before < 0) this.occupied++;
    else if (this.headAt(before) !== GONE) {
      this.count--;
      this.liveBytes -= this.endOf(before) - before;
    }
    this.slots[slot] = at + 1;
    if (this.headAt(at) !== GONE) {
      this.count++;
      this.liveBytes += this.used - at;
    }
    if (3 * this.occupied > 2 * this.slots.length) this.rehash(2 * this.occupied);
  }

  /** The slot of a key, or the free one where it would go. */
  private slotOf(hash: number, key: string | number): number {
    const { slots, bytes } = this;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = (slots[slot] as number) - 1;
      if (at < 0 || (this.hashAt(at) === hash && isKey(bytes, at + HASH_BYTES, key))) return slot;
    }
  }

  private slotOfEntry(of: number): number {
    const { slots } = this;
    const hash = this.hashAt(of);
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = (slots[slot] as number) - 1;
      if (at < 0 || (this.hashAt(at) === hash && this.haveSameKey(at, of))) return slot;
    }
  }

  private isNewest(of: number): boolean {
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = this.hashAt(of) & mask;
    while (slots[slot] !== 0 && slots[slot] !== of + 1) slot = (slot + 1) & mask;
    return slots[slot] !== 0;
  }

  private haveSameKey(a: number, b: number): boolean {
    const { bytes } = this;
    const length = keyEnd(bytes, a + HASH_BYTES) - a;
    for (let i = HASH_BYTES; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false;
    return true;
  }

  private hashAt(at: number): number {
    const { bytes } = this;
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
    return (low | ((bytes[at + 3] as number) << 24)) >>> 0;
  }

  private headAt(at: number): number {
    return this.bytes[keyEnd(this.bytes, at + HASH_BYTES)] as number; // 0 and 1 take one byte
  }

  private endOf(at: number): number {
    const head = keyEnd(this.bytes, at + HASH_BYTES);
    const length = readVarint(this.bytes, head);
    return varintEnd(this.bytes, head) + Math.max(0, length - 1);
  }

  private room(bytes: number): void {
    const needed = this.used + bytes;
    if (needed > this.bytes.length) this.grow(Math.max(needed, this.used + (this.used >>> 2) + 64));
  }

  private grow(capacity: number): void {
    const grown = new Uint8Array(capacity);
    grown.set(this.bytes.subarray(0, this.used));
    this.bytes = grown;
  }

  private rehash(entries: number): void {
    let length = SLOTS_LEAST;
    while (2 * length < 3 * entries) length *= 2;
    const slots = new Uint32Array(length);
    for (const place of this.slots) if (place !== 0) slots[freeSlot(slots, this.hashAt(place - 1))] = place;
    this.slots = slots;
  }
}

/** Below this many bytes a loop is faster than a view and a call. */
const SHORT = 96;

function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > SHORT) to.set(from.subarray(start, end), at);
  else for (let i = start, next = at; i < end; i++, next++) to[next] = from[i] as number;
}

function freeSlot(slots: Uint32Array, hash: number): number {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  return slot;
}
