import { Packr } from 'msgpackr';
import { type BucketChange, MillraceError } from '../core/index.js';
import { addExactForms, exactForm, isInexact, mayBeInexact } from './exact-values.js';

// Every message is self-contained (no shared structures): a bucket must be readable without any other bucket.
const packr = new Packr({ useRecords: true, moreTypes: true, useBigIntExtension: true, copyBuffers: true });
addExactForms();

/** The first byte of a bucket, by kind of cell; a cell refuses the bytes of another kind. */
export const tags = {
  value: 1,
  hashedMap: 2,
  agedMap: 3,
  agedMapHorizon: 4,
  orderedMap: 5,
  ring: 6,
  float64: 7,
  /** Rows that a checkpoint keeps for a sink. */
  rows: 8,
  /** All entries of a shard of an unbounded map. */
  shardBase: 9,
  /** The entries written since: see `Shard`. */
  shardDelta: 10,
  /** A leaf of a queue of timers. */
  timers: 11,
  /** Accumulators of panes that changed together, and the time before which panes were dropped. */
  panes: 12,
  panesHead: 13,
  /** Records of numbers: see `arenaCell`. */
  arena: 14,
  /** What a log of updates was written with, and its updates. */
  updatesHead: 15,
  updates: 16,
  /** Keys with as many numbers each: see `numbersByKeyCell`. */
  numbersByKey: 17,
  /** A segment of keys: see `AgedSet`. */
  keySet: 18,
} as const;
export type Tag = (typeof tags)[keyof typeof tags];

/**
 * Encodes a bucket: the tag, then MessagePack. Numbers (except the sign of -0), strings, booleans, null, undefined, bigints, dates,
 * plain objects, arrays, maps, sets and typed arrays are decoded unchanged. Class instances are decoded as plain objects.
 */
export function encode(tag: Tag, value: unknown): Uint8Array {
  const body = pack(value);
  const bytes = new Uint8Array(body.length + 1);
  bytes[0] = tag;
  bytes.set(body, 1);
  return bytes;
}

export function decode(tag: Tag, bytes: Uint8Array): unknown {
  checkTag(tag, bytes);
  const body = bytes.subarray(1); // the packer modifies its input
  return unpack(body, 0, body.length);
}

/** Encodes a value without a tag. The bytes are in the packer's buffer: copy them before the next call. */
export function pack(value: unknown): Uint8Array {
  const bytes = packr.pack(value);
  return mayBeInexact(bytes) && isInexact(value) ? packr.pack(exactForm(value)) : bytes;
}

const int = new Uint8Array(5);
const digit = new Uint8Array(1);

/** Like `pack`, at a tenth of its cost, for 32-bit integers; `undefined` for other values. */
export function packInt(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'number' || (value | 0) !== value) return undefined;
  if (value >= 0 && value < 0x80) {
    digit[0] = value;
    return digit;
  }
  int[0] = 0xd2;
  for (let i = 1; i < 5; i++) int[i] = value >>> (8 * (4 - i));
  return int;
}

/** The integer that `packInt` wrote at this position; `undefined` if there is another value. */
export function readInt(bytes: Uint8Array, at: number): number | undefined {
  const first = bytes[at] as number;
  if (first < 0x80) return first;
  if (first !== 0xd2) return undefined;
  const high = ((bytes[at + 1] as number) << 24) | ((bytes[at + 2] as number) << 16);
  return high | ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number);
}

/** Decodes a value from a range of bytes. */
export function unpack(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return packr.unpack(bytes, { start, end });
  } catch (cause) {
    throw unreadable(cause);
  }
}

export function checkTag(tag: Tag, bytes: Uint8Array): void {
  if (bytes[0] === tag) return;
  throw new MillraceError('state', 'the checkpoint holds this cell as another kind of cell', {
    hint: 'give the changed cell or its step a new name, or start with empty state',
    permanent: true,
  });
}

export function unreadable(cause?: unknown): MillraceError {
  return new MillraceError('state', 'a bucket of the checkpoint cannot be read', {
    hint: 'its bytes are damaged or have another layout: restore an older checkpoint, or start with empty state',
    permanent: true,
    cause,
  });
}

/** Takes the blocks that are marked with 1, and clears their marks. */
export function takeDirty(dirty: Uint8Array, bytesOf: (bucket: number) => Uint8Array | null): BucketChange[] {
  const changes: BucketChange[] = [];
  for (let bucket = dirty.indexOf(1); bucket >= 0; bucket = dirty.indexOf(1, bucket + 1)) {
    changes.push({ bucket, bytes: bytesOf(bucket) });
    dirty[bucket] = 0;
  }
  return changes;
}
