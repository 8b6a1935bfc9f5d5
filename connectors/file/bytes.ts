import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import { nextTurn } from '../../src/util/next-turn.js';
import { ZstdBlocks } from './zstd-blocks.js';

const PIECE_BYTES = 256 * 1024;
/** Bytes that a decompressor writes and moves in one turn of the loop. */
const TURN_BYTES = 32 * 1024 * 1024;

/** The stored bytes of a file, from a position. */
export type OpenBytes = (path: string, start: number) => AsyncIterable<Uint8Array>;

const openFile: OpenBytes = (path, start) => createReadStream(path, { start, highWaterMark: PIECE_BYTES });

/**
 * The bytes of a file from a position, decompressed according to its name: `.gz` (several members count as one) and `.zst` (several
 * frames). `at` counts decompressed bytes, so a compressed file is read from its start.
 *
 * Memory: some pieces of 256 KiB, and the window of the compression, 128 MiB at most.
 *
 * @throws MillraceError `source` if the file cannot be read, or ends inside compressed data.
 * @example for await (const piece of bytesOf('orders.ndjson.gz', 0)) lines.push(piece);
 */
export async function* bytesOf(path: string, at: number, opener: OpenBytes = openFile): AsyncGenerator<Uint8Array> {
  const open = (start: number) => fromStorage(opener(path, start));
  const compressed = /\.(gz|zst)$/.exec(path)?.[1];
  try {
    if (compressed === undefined) {
      yield* open(at);
      return;
    }
    let skip = at;
    for await (const piece of compressed === 'gz' ? gunzipped(open(0)) : unzstd(open(0))) {
      if (skip >= piece.length) skip -= piece.length;
      else {
        yield skip > 0 ? piece.subarray(skip) : piece;
        skip = 0;
      }
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** An error of the storage, not of the content. */
class StorageFailure extends Error {}

async function* fromStorage(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (cause) {
    throw new StorageFailure(messageOf(cause), { cause });
  }
}

async function* gunzipped(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const file = Readable.from(bytes);
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  file.once('error', (error) => gunzip.destroy(error));
  try {
    yield* file.pipe(gunzip);
  } finally {
    file.destroy();
  }
}

async function* unzstd(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  const decompress = new Decompress((piece) => {
    if (piece.length > 0) pieces.push(piece);
  });
  const blocks = new ZstdBlocks();
  let inTurn = 0;
  for await (const piece of bytes) {
    for (const part of blocks.cut(piece)) {
      decompress.push(part, false);
      // With each block the decompressor moves its window.
      inTurn += blocks.windowBytes;
      for (const each of pieces) inTurn += each.length;
      yield* pieces;
      pieces = [];
      if (inTurn < TURN_BYTES) continue;
      await nextTurn();
      inTurn = 0;
    }
  }
  decompress.push(new Uint8Array(0), true); // throws for an incomplete frame
  yield* pieces;
}

const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOENT';

function unreadable(path: string, error: unknown): MillraceError {
  // Storage errors may pass; decompression errors stay.
  const permanent = !(error instanceof StorageFailure);
  const cause = permanent ? error : error.cause;
  if (cause instanceof MillraceError) return cause;
  return new MillraceError('source', `cannot read ${path}: ${messageOf(cause)}`, {
    where: path,
    hint: isMissing(cause)
      ? 'it was there: only remove files that were read to their end'
      : permanent
        ? 'it is damaged, or was not complete when its name appeared: write files under a name with a dot in front, and rename them'
        : 'check that this process may read it and that its storage answers',
    permanent,
    cause,
  });
}
