import type { Buckets } from './bucket.js';
import type { Memory } from './memory.js';
import { type Begun, LAST_PART } from './upload.js';

/** Bytes that are collected for a piece, and for a part of an upload that is made of several pieces. */
export const PIECE_BYTES = 8 * 1024 * 1024;
/** The minimum size of a part in S3, except for the last one. */
export const PART_BYTES_MIN = 5 * 1024 * 1024;

/** The largest object: with parts of any size, there are enough part numbers. */
export const OBJECT_BYTES_MAX = PART_BYTES_MIN * (LAST_PART - 1);

/** Pieces with consecutive numbers, under the claim of their writer. */
export interface Run {
  readonly claim: string;
  readonly from: number;
  readonly count: number;
}

/** The location of an object's rows until it is visible, as in a committable. */
export interface Kept {
  /** An upload of the object, whose parts have the first rows. */
  readonly parts?: Begun | undefined;
  /** Objects with the following rows, in order. */
  readonly runs: readonly Run[];
  /** Their size. */
  readonly bytes: number;
  /** Pieces that have been copied to parts. An earlier checkpoint may still name them, so they are deleted with the others. */
  readonly merged: readonly Run[];
}

export const nothingKept: Kept = { runs: [], bytes: 0, merged: [] };

/** The path of a piece, by claim and number. */
export type PathOf = (claim: string, n: number) => string;

export const pathsOf = (runs: readonly Run[], pathOf: PathOf): string[] =>
  runs.flatMap(({ claim, from, count }) => Array.from({ length: count }, (_, i) => pathOf(claim, from + i)));

/** Runs with one more piece. */
function withPiece(runs: readonly Run[], claim: string, n: number): Run[] {
  const last = runs.at(-1);
  if (last?.claim !== claim || last.from + last.count !== n) return [...runs, { claim, from: n, count: 1 }];
  return [...runs.slice(0, -1), { ...last, count: last.count + 1 }];
}

/**
 * Stores rows of an object as separate objects, one after another, which never change.
 *
 * Memory: the size of `memory`.
 */
export class Pieces {
  /** The stored pieces, including those of earlier owners. */
  runs: readonly Run[];
  bytes: number;
  private count = 0;

  constructor(
    private readonly buckets: Buckets,
    private readonly memory: Memory,
    private readonly claim: string,
    private readonly pathOf: PathOf,
    before: Kept,
  ) {
    this.runs = before.runs;
    this.bytes = before.bytes;
  }

  /** Resolves with the stored piece. */
  async put(body: Uint8Array): Promise<Run> {
    const n = this.count;
    this.count += 1;
    const path = this.pathOf(this.claim, n);
    await this.buckets.put(path, body);
    this.memory.keep(path, body);
    this.runs = withPiece(this.runs, this.claim, n);
    this.bytes += body.length;
    return { claim: this.claim, from: n, count: 1 };
  }

  /** Returns and clears the pieces, after they were copied elsewhere. */
  take(): readonly Run[] {
    const { runs } = this;
    this.forget(runs);
    this.runs = [];
    this.bytes = 0;
    return runs;
  }

  /** Releases the memory of some pieces. */
  forget(runs: readonly Run[]): void {
    for (const path of pathsOf(runs, this.pathOf)) this.memory.forget(path);
  }

  /** The bodies of some pieces. */
  bodiesOf(runs: readonly Run[]): AsyncGenerator<Uint8Array> {
    return bodiesOf(this.buckets, this.memory, pathsOf(runs, this.pathOf));
  }
}

/** The next body is requested while the current one is used. Memory: two of them. */
export async function* bodiesOf(
  buckets: Buckets,
  memory: Memory,
  paths: readonly string[],
): AsyncGenerator<Uint8Array> {
  const ask = (path: string | undefined) => {
    if (path === undefined) return undefined;
    const body = Promise.resolve(memory.get(path) ?? buckets.bytes(path));
    body.catch(() => undefined); // reported when its turn comes
    return body;
  };
  let next = ask(paths[0]);
  for (let i = 1; next !== undefined; i++) {
    const body = await next;
    next = ask(paths[i]);
    yield body;
  }
}

/** Bytes as parts of an upload, none below the minimum size unless all are. */
export async function* inParts(bodies: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const body of bodies) {
    waiting.push(body);
    bytes += body.length;
    while (bytes >= PIECE_BYTES + PART_BYTES_MIN) {
      const all = Buffer.concat(waiting);
      yield all.subarray(0, PIECE_BYTES);
      waiting = [all.subarray(PIECE_BYTES)];
      bytes -= PIECE_BYTES;
    }
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}
