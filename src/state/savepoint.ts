import { createHash, type Hash } from 'node:crypto';
import { type Checkpoint, MillraceError, type StateChange } from '../core/index.js';

// A savepoint file: eight bytes of magic with the format's version, then frames. A frame is the length of its body (8 bytes,
// little-endian), the SHA-256 of the body, and the body. The first frame is the manifest. Each task then has a frame with its
// checkpoint and the index of its buckets, and one with their bytes.

const MAGIC = Buffer.from('MRSAVE01');
const LENGTH_BYTES = 8;
const DIGEST_BYTES = 32;

export interface SavepointManifest {
  readonly name: string;
  readonly topology: string;
  readonly topologyHash: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The number of tasks in the file; each has its frames, in order. */
  readonly partitions: number;
  /** The topic of each source, by step id. */
  readonly topics: Readonly<Record<string, string>>;
  /** The profile on which it was made, for information. */
  readonly profile: string;
  /** For a topology with repartitions: its sub-topologies in the order of their tasks. */
  readonly subtopologies?: readonly SavepointSubtopology[];
}

export interface SavepointSubtopology {
  readonly name: string;
  readonly topologyHash: string;
  readonly partitions: number;
  /** The topic of each source, by step id. */
  readonly topics: Readonly<Record<string, string>>;
}

/** The sub-topologies of a savepoint (or the whole topology), each with the number of its first task in the file. */
export function subtopologiesIn(manifest: SavepointManifest): (SavepointSubtopology & { readonly first: number })[] {
  const { topology: name, topologyHash, partitions, topics } = manifest;
  let first = 0;
  return (manifest.subtopologies ?? [{ name, topologyHash, partitions, topics }]).map((subtopology) => {
    const placed = { ...subtopology, first };
    first += subtopology.partitions;
    return placed;
  });
}

export interface SavepointTask {
  /** `undefined` for a task without a commit. */
  readonly checkpoint: Checkpoint | undefined;
  readonly state: readonly StateChange[];
}

/** Reads the next bytes of a file: exactly this many, or fewer at its end. */
export type ReadBytes = (length: number) => Uint8Array;

/**
 * Encodes a savepoint as the bytes of its file, piece by piece.
 *
 * It is portable: it contains state as cells encode it and positions, and nothing of the store that it came from. The same tasks
 * give the same bytes. Memory: one task.
 *
 * @example
 * for await (const bytes of encodeSavepoint(manifest, tasks)) file.write(bytes);
 */
export async function* encodeSavepoint(
  manifest: SavepointManifest,
  tasks: AsyncIterable<SavepointTask> | Iterable<SavepointTask>,
): AsyncGenerator<Uint8Array> {
  yield MAGIC;
  yield* frame([Buffer.from(JSON.stringify(manifest))]);
  for await (const { checkpoint, state } of tasks) {
    const kept = [...state].filter(({ bytes }) => bytes !== null).sort(byCell);
    const buckets = kept.map(({ step, cell, version, bucket, bytes }) => [step, cell, version, bucket, bytes?.length]);
    yield* frame([Buffer.from(JSON.stringify({ checkpoint: checkpoint ?? null, buckets }))]);
    yield* frame(kept.map(({ bytes }) => bytes as Uint8Array));
  }
}

/**
 * Decodes a savepoint: its manifest at once, then its tasks, each verified by its digest first.
 *
 * Memory: one task.
 *
 * @throws MillraceError `state` if it is not a savepoint, has a newer format, is truncated or damaged.
 */
export function decodeSavepoint(
  read: ReadBytes,
  where: string,
): { readonly manifest: SavepointManifest; tasks(): Generator<SavepointTask> } {
  const magic = Buffer.from(read(MAGIC.length));
  if (!magic.equals(MAGIC)) {
    const known = magic.subarray(0, 6).equals(MAGIC.subarray(0, 6));
    throw new MillraceError('state', known ? 'the savepoint has another format' : 'the file is not a savepoint', {
      where,
      hint: known
        ? 'restore it with the version of Millrace that created it'
        : 'create one with millrace savepoint create',
    });
  }
  const manifest = manifestOf(json(readFrame(read, where), where), where);
  return {
    manifest,
    *tasks() {
      for (let partition = 0; partition < manifest.partitions; partition++) yield readTask(read, where);
      if (read(1).length > 0) throw damaged(where, 'bytes follow its end');
    },
  };
}

type BucketEntry = readonly [step: string, cell: string, version: number, bucket: number, length: number];

function readTask(read: ReadBytes, where: string): SavepointTask {
  const { checkpoint, buckets } = json(readFrame(read, where), where) as {
    readonly checkpoint: Checkpoint | null;
    readonly buckets: readonly BucketEntry[];
  };
  const body = readFrame(read, where);
  let at = 0;
  const state = buckets.map(([step, cell, version, bucket, length]): StateChange => {
    const bytes = body.slice(at, at + length);
    at += length;
    return { step, cell, version, bucket, bytes };
  });
  if (at !== body.length) throw damaged(where, 'its index and its bytes disagree');
  return { checkpoint: checkpoint ?? undefined, state };
}

function* frame(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  const hash: Hash = createHash('sha256');
  let length = 0;
  for (const part of parts) {
    hash.update(part);
    length += part.length;
  }
  const head = Buffer.alloc(LENGTH_BYTES);
  head.writeBigUInt64LE(BigInt(length));
  yield head;
  yield hash.digest();
  yield* parts;
}

function readFrame(read: ReadBytes, where: string): Uint8Array {
  const head = Buffer.from(exactly(read, LENGTH_BYTES + DIGEST_BYTES, where));
  const body = exactly(read, Number(head.readBigUInt64LE(0)), where);
  const digest = createHash('sha256').update(body).digest();
  if (!digest.equals(head.subarray(LENGTH_BYTES))) throw damaged(where, 'its bytes do not match their digest');
  return body;
}

function exactly(read: ReadBytes, length: number, where: string): Uint8Array {
  const bytes = read(length);
  if (bytes.length !== length) throw damaged(where, 'it is truncated');
  return bytes;
}

function json(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    throw damaged(where, 'a part of it is not JSON');
  }
}

/** Bytes that match their digest may still be those of something else. */
function manifestOf(read: unknown, where: string): SavepointManifest {
  const manifest = read as SavepointManifest | null;
  const isWhole =
    manifest !== null &&
    typeof manifest === 'object' &&
    typeof manifest.name === 'string' &&
    typeof manifest.createdAt === 'string' &&
    typeof manifest.profile === 'string' &&
    isPart({ ...manifest, name: manifest.topology }) &&
    (manifest.subtopologies === undefined || isDivided(manifest, manifest.subtopologies));
  if (!isWhole) throw damaged(where, 'its manifest is incomplete');
  return manifest;
}

const isPart = ({ name, topologyHash, partitions, topics }: SavepointSubtopology): boolean =>
  typeof name === 'string' &&
  typeof topologyHash === 'string' &&
  Number.isSafeInteger(partitions) &&
  partitions >= 0 &&
  typeof topics === 'object' &&
  topics !== null;

const isDivided = ({ partitions }: SavepointManifest, parts: readonly SavepointSubtopology[]): boolean =>
  Array.isArray(parts) &&
  parts.every((part: unknown) => typeof part === 'object' && part !== null && isPart(part as SavepointSubtopology)) &&
  parts.reduce((sum, part) => sum + part.partitions, 0) === partitions;

/** By name, whatever the order of the store. */
function byCell(a: StateChange, b: StateChange): number {
  if (a.step !== b.step) return a.step < b.step ? -1 : 1;
  if (a.cell !== b.cell) return a.cell < b.cell ? -1 : 1;
  return a.bucket - b.bucket;
}

const damaged = (where: string, how: string): MillraceError =>
  new MillraceError('state', `the savepoint is damaged: ${how}`, { where, hint: 'use another savepoint' });
