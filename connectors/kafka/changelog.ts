import { MillraceError } from '../../src/core/errors.js';
import type { Checkpoint } from '../../src/core/io.js';
import type { OutgoingRecord } from '../../src/core/record.js';
import type { StateChange } from '../../src/core/state.js';

// How a task's state lies in its changelog topic: one record a bucket, one for the checkpoint, compacted by key.
// A value is a version (32 bits, of the cell's encoding or of the checkpoint's) and bytes.

/** Keys of state have slashes, which a step's id cannot have; this one has none. */
const CHECKPOINT_KEY = 'checkpoint';
const CHECKPOINT_VERSION = 1;
const VERSION_BYTES = 4;

/** The topic that a source step read when a position was stored: a position is worth nothing for another one. */
export interface InputTopic {
  readonly topic: string;
  readonly topicId: string;
}

export interface StoredCheckpoint {
  readonly checkpoint: Checkpoint;
  /** By source step id. */
  readonly inputs: Readonly<Record<string, InputTopic>>;
}

/** The record of one bucket; a tombstone where it is gone. */
export function changeRecord({ step, cell, bucket, version, bytes }: StateChange, timestampMs: number): OutgoingRecord {
  return { key: Buffer.from(`${step}/${cell}/${bucket}`), value: bytes && versioned(version, bytes), timestampMs };
}

export function checkpointRecord(stored: StoredCheckpoint, timestampMs: number): OutgoingRecord {
  const value = versioned(CHECKPOINT_VERSION, Buffer.from(JSON.stringify(stored)));
  return { key: Buffer.from(CHECKPOINT_KEY), value, timestampMs };
}

/** The newest value of each key of a changelog, as its records go by. Memory: the state, once. */
export class ChangelogReader {
  private readonly newest = new Map<string, Uint8Array>();

  put(key: Uint8Array | null, value: Uint8Array | null): void {
    const name = Buffer.from(key ?? []).toString();
    // A copy: a view would keep the whole fetched range in memory.
    if (value === null) this.newest.delete(name);
    else this.newest.set(name, Uint8Array.from(value));
  }

  /** @throws MillraceError `state` on keys and versions that are not this program's. */
  restored(where: string): { readonly stored: StoredCheckpoint | undefined; readonly state: StateChange[] } {
    let stored: StoredCheckpoint | undefined;
    const state: StateChange[] = [];
    for (const [key, value] of this.newest) {
      const version = Buffer.from(value.buffer).readInt32BE(value.byteOffset);
      const bytes = value.subarray(VERSION_BYTES);
      if (key === CHECKPOINT_KEY) stored = parseCheckpoint(version, bytes, where);
      else state.push({ ...parseKey(key, where), version, bytes });
    }
    return { stored, state };
  }
}

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
      lasting: true,
    });
  }
  return JSON.parse(Buffer.from(bytes).toString()) as StoredCheckpoint;
}

function parseKey(key: string, where: string): { step: string; cell: string; bucket: number } {
  const match = /^([^/]+)\/(.+)\/(\d+)$/.exec(key);
  if (!match) {
    throw new MillraceError('state', `foreign key '${key}' in the changelog`, {
      where,
      hint: 'nothing but Millrace may write to this topic: delete the record, or the topic to begin anew',
      lasting: true,
    });
  }
  return { step: match[1] as string, cell: match[2] as string, bucket: Number(match[3]) };
}
