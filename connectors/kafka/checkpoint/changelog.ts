import { ALSO_FENCES } from '../../../src/connect/fenced.js';
import type { Checkpoint } from '../../../src/core/checkpoint.js';
import { MillraceError } from '../../../src/core/errors.js';
import type { OutgoingRecord } from '../../../src/core/record.js';
import type { StateChange } from '../../../src/core/state.js';

// The format of a changelog topic: one record per bucket and one for the checkpoint, compacted by key. A value is a version (32
// bits, of the cell's encoding or of the checkpoint's) and bytes.

/** Keys of state contain slashes, which step ids cannot; this key has none. */
const CHECKPOINT_KEY = 'checkpoint';
const CHECKPOINT_VERSION = 1;
const VERSION_BYTES = 4;

/** The topic that a source read when its position was stored. The position is not valid for another topic. */
export interface InputTopic {
  readonly topic: string;
  readonly topicId: string;
}

export interface StoredCheckpoint {
  readonly checkpoint: Checkpoint;
  /** By source step id. */
  readonly inputs: Readonly<Record<string, InputTopic>>;
}

/** The record of one bucket; a tombstone if it was deleted. */
export function changeRecord({ step, cell, bucket, version, bytes }: StateChange, timestampMs: number): OutgoingRecord {
  return { key: Buffer.from(`${step}/${cell}/${bucket}`), value: bytes && versioned(version, bytes), timestampMs };
}

export function checkpointRecord(stored: StoredCheckpoint, timestampMs: number): OutgoingRecord {
  const value = versioned(CHECKPOINT_VERSION, Buffer.from(JSON.stringify(stored)));
  return { key: Buffer.from(CHECKPOINT_KEY), value, timestampMs };
}

/** A cell's part of a changelog: the prefix of its keys up to the number of the bucket, and the newest value of each. */
interface CellBuffer {
  readonly prefix: Uint8Array;
  readonly step: string;
  readonly cell: string;
  readonly buckets: Map<number, Uint8Array>;
}

/** Values of at most a quarter of a block are copied into blocks. */
const BLOCK_BYTES = 64 * 1024;
/** Replaced values that may stay in memory, beside as much as the newest ones take. */
const REPLACED_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Copies values one behind another. With a buffer for each, V8 collects garbage all the time, since it counts the memory outside of
 * its heap: a restore took twice as long.
 */
class Blocks {
  private block = new Uint8Array(0);
  private used = 0;
  /** The size of all blocks. */
  bytes = 0;

  copy(value: Uint8Array): Uint8Array {
    const { length } = value;
    if (length > BLOCK_BYTES / 4) return new Uint8Array(value);
    if (this.used + length > this.block.length) {
      this.block = new Uint8Array(BLOCK_BYTES);
      this.used = 0;
      this.bytes += BLOCK_BYTES;
    }
    const at = this.used;
    this.used += length;
    this.block.set(value, at);
    return this.block.subarray(at, this.used);
  }
}

/**
 * Collects the newest value of each key of a changelog, as bytes, without decoding. Memory: the state once, as much of replaced
 * values at most and 4 MiB of them, and about 200 bytes per bucket.
 */
export class ChangelogReader {
  private readonly buffers = new Map<string, CellBuffer>();
  private readonly foreign = new Set<string>();
  /** The size of the collected values. */
  bytes = 0;
  private blocks = new Blocks();
  private checkpoint: Uint8Array | undefined;
  private buffer: CellBuffer | undefined;

  put(key: Uint8Array | null, value: Uint8Array | null): void {
    // A copy, because a view would keep the whole fetched range in memory.
    const bytes = value === null ? undefined : this.blocks.copy(value);
    const buffer = this.bufferOf(key ?? NOTHING);
    const bucket = buffer && numberIn(key ?? NOTHING, buffer.prefix.length);
    if (buffer && bucket !== undefined) {
      this.bytes += (bytes?.length ?? 0) - (buffer.buckets.get(bucket)?.length ?? 0);
      if (bytes) buffer.buckets.set(bucket, bytes);
      else buffer.buckets.delete(bucket);
      if (this.blocks.bytes > 2 * this.bytes + REPLACED_BYTES_MAX) this.leaveReplaced();
      return;
    }
    const name = Buffer.from(key ?? NOTHING).toString();
    if (name === CHECKPOINT_KEY) this.checkpoint = bytes;
    else if (bytes) this.foreign.add(name);
    else this.foreign.delete(name);
  }

  /**
   * Returns what was read; the reader is empty afterwards.
   *
   * @throws MillraceError `state` for keys and versions of another program.
   */
  restored(where: string): { readonly stored: StoredCheckpoint | undefined; readonly state: StateChange[] } {
    for (const name of this.foreign) throw foreignKey(name, where);
    const state: StateChange[] = [];
    for (const { step, cell, buckets } of this.buffers.values()) {
      for (const [bucket, value] of buckets) {
        state.push({ step, cell, bucket, version: versionIn(value), bytes: value.subarray(VERSION_BYTES) });
      }
      buckets.clear();
    }
    this.bytes = 0;
    this.blocks = new Blocks();
    const { checkpoint } = this;
    const stored = checkpoint && parseCheckpoint(versionIn(checkpoint), checkpoint.subarray(VERSION_BYTES), where);
    this.checkpoint = undefined;
    return { stored, state };
  }

  /** Copies the newest values, since a block stays in memory as long as one of its values does. */
  private leaveReplaced(): void {
    this.blocks = new Blocks();
    for (const { buckets } of this.buffers.values())
      for (const [bucket, value] of buckets) buckets.set(bucket, this.blocks.copy(value));
  }

  /** The buffer for a key; usually that of the previous record. */
  private bufferOf(key: Uint8Array): CellBuffer | undefined {
    const { buffer } = this;
    if (buffer && startsWith(key, buffer.prefix)) return buffer;
    const end = key.lastIndexOf(SLASH) + 1;
    const prefix = Buffer.from(key.subarray(0, end)).toString('latin1');
    const known = this.buffers.get(prefix);
    if (known) {
      this.buffer = known;
      return known;
    }
    const match = /^([^/]+)\/(.+)\/$/s.exec(Buffer.from(key.subarray(0, end)).toString());
    if (!match) return undefined;
    const begun = { prefix: key.slice(0, end), step: match[1] as string, cell: match[2] as string, buckets: new Map() };
    this.buffers.set(prefix, begun);
    this.buffer = begun;
    return begun;
  }
}

const NOTHING = new Uint8Array(0);
const SLASH = 0x2f;
const ZERO = 0x30;

/** The number at the end of a key, from `at`; `undefined` if there is none. */
function numberIn(key: Uint8Array, at: number): number | undefined {
  let number = 0;
  for (let i = at; i < key.length; i++) {
    const digit = (key[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    number = 10 * number + digit;
  }
  return at < key.length && number <= Number.MAX_SAFE_INTEGER ? number : undefined;
}

/** Whether a key is this prefix without a further slash: names of cells may contain slashes. */
function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  for (let i = prefix.length - 1; i >= 0; i--) if (key[i] !== prefix[i]) return false;
  return !key.includes(SLASH, prefix.length);
}

const versionIn = (value: Uint8Array): number => new DataView(value.buffer, value.byteOffset).getInt32(0);

function versioned(version: number, bytes: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(VERSION_BYTES + bytes.length);
  value.writeInt32BE(version);
  value.set(bytes, VERSION_BYTES);
  return value;
}

function parseCheckpoint(version: number, bytes: Uint8Array, where: string): StoredCheckpoint {
  if (version !== CHECKPOINT_VERSION) {
    throw new MillraceError('state', `unknown version ${version} of the checkpoint`, {
      where,
      hint: 'a newer Millrace wrote it: run that version',
      permanent: true,
    });
  }
  return JSON.parse(Buffer.from(bytes).toString()) as StoredCheckpoint;
}

const foreignKey = (key: string, where: string): MillraceError =>
  new MillraceError('state', `foreign key '${key}' in the changelog`, {
    where,
    hint: `only Millrace may write to this topic: delete the record, or delete the topic to start from scratch; ${ALSO_FENCES}`,
    permanent: true,
  });
