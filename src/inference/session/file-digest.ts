import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { MillraceError, messageOf } from '../../core/index.js';

interface KnownDigest {
  readonly stamp: string;
  readonly digest: string;
}

/** By place, the digests that need no second reading. */
const knownDigests = new Map<string, KnownDigest>();
const KNOWN_MAX = 4_096;
/** File systems tell times apart by as much as this. A file that changed a moment ago may change again within the same one. */
const SETTLED_MS = 2_000;
/** What is read of a file at a time. */
const piece = new Uint8Array(2 ** 18);

/**
 * The SHA-256 of a file. It is read again only if it may have changed: if its inode, size or one of its times is another, or was that of
 * the moment. Programs can set back the time of the last write, but not that of the last change. What is written through a memory map
 * that was written to seconds before has no time of its own: golden inputs are there for that.
 *
 * Memory: 300 bytes for each of the last 4,096 files.
 *
 * Throws `MillraceError('inference')` where the file cannot be read.
 */
export function digestOf(place: string): string {
  return withFile(place, (file) => {
    const stats = fstatSync(file, { bigint: true });
    const stamp = stampOf(stats);
    const known = knownDigests.get(place);
    if (known?.stamp === stamp) return known.digest;
    const digest = digestOfContent(file);
    knownDigests.delete(place);
    if (isSettled(stats) && stampOf(fstatSync(file, { bigint: true })) === stamp) remember(place, { stamp, digest });
    return digest;
  });
}

/** Does something with an open file. Throws `MillraceError('inference')` where that fails: a disk that does not answer may do so later. */
export function withFile<T>(place: string, work: (file: number) => T): T {
  try {
    const file = openSync(place, 'r');
    try {
      return work(file);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new MillraceError('inference', `the model file cannot be read again: ${messageOf(cause)}`);
  }
}

function digestOfContent(file: number): string {
  const hash = createHash('sha256');
  for (let at = 0, read = -1; read !== 0; at += read) {
    read = readSync(file, piece, 0, piece.length, at);
    hash.update(piece.subarray(0, read));
  }
  return hash.digest('hex');
}

const stampOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(' ');

const isSettled = ({ mtimeMs, ctimeMs }: BigIntStats): boolean =>
  Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs) + SETTLED_MS < Date.now();

function remember(place: string, digest: KnownDigest): void {
  if (knownDigests.size >= KNOWN_MAX) knownDigests.delete(knownDigests.keys().next().value as string);
  knownDigests.set(place, digest);
}
