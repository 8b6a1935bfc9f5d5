import type { Begun, UploadPart } from './upload.js';

/** Bytes that wait before they are put as a piece, and of a part of an upload that is made of several. */
export const PIECE_BYTES = 8 * 1024 * 1024;
/** S3 takes no smaller part of an upload but the last. */
export const PART_BYTES_MIN = 5 * 1024 * 1024;

/** Pieces with consecutive numbers, under the claim of who put them. */
export interface Run {
  readonly claim: string;
  /** 0 where it is missing. */
  readonly from?: number;
  readonly count: number;
  /** Each of them has at least `PART_BYTES_MIN`; unknown where it is missing. */
  readonly large?: true;
}

/** Where the rows of an object are until it is shown, as a receipt has it. */
export interface Pieces {
  /** In the order of the rows. */
  readonly runs: readonly Run[];
  /** What was put again, in larger pieces: a savepoint may still name it. Goes with the others. */
  readonly merged?: readonly Run[];
  /** An upload of the object, which has the first pieces as its parts. Whatever becomes of it, the pieces are there. */
  readonly upload?: Begun;
}

/** A piece that this process put, by its number. */
export interface Put {
  readonly n: number;
  readonly large: boolean;
}

/** Pieces as runs. */
export function runsOf(claim: string, pieces: readonly Put[]): Run[] {
  const runs: { claim: string; from: number; count: number; large?: true }[] = [];
  for (const { n, large } of pieces) {
    const last = runs.at(-1);
    if (last && last.from + last.count === n && (last.large ?? false) === large) last.count += 1;
    else runs.push({ claim, from: n, count: 1, ...(large ? { large } : {}) });
  }
  return runs;
}

/** A piece that is to become a part of an object. */
export interface Piece {
  readonly path: string;
  readonly large: boolean;
}

/**
 * The parts of an object: large pieces as they are, by the store itself; small ones by their bytes, and with them a large one
 * that follows, since no part but the last may be small.
 *
 * Memory: `PIECE_BYTES` and `PART_BYTES_MIN`, and a piece.
 */
export async function* partsOf(
  pieces: readonly Piece[],
  bodiesOf: (paths: readonly string[]) => AsyncIterable<Uint8Array>,
): AsyncGenerator<UploadPart> {
  let small: string[] = [];
  for (const { path, large } of pieces) {
    if (large && small.length === 0) {
      yield { from: path };
      continue;
    }
    small.push(path);
    if (!large) continue;
    yield* inParts(bodiesOf(small));
    small = [];
  }
  if (small.length > 0) yield* inParts(bodiesOf(small));
}

/** Bytes in parts, none of them too small unless all are. */
export async function* inParts(bodies: AsyncIterable<Uint8Array>): AsyncGenerator<UploadPart> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const body of bodies) {
    waiting.push(body);
    bytes += body.length;
    while (bytes >= PIECE_BYTES + PART_BYTES_MIN) {
      const all = Buffer.concat(waiting);
      yield { body: all.subarray(0, PIECE_BYTES) };
      waiting = [all.subarray(PIECE_BYTES)];
      bytes -= PIECE_BYTES;
    }
  }
  if (bytes > 0) yield { body: Buffer.concat(waiting) };
}
