import type { Buckets } from './bucket.js';
import type { Memory } from './memory.js';
import { type Begun, LAST_PART } from './upload.js';

/** Bytes that wait before they are put, and of a part of an upload that is made of several. */
export const PIECE_BYTES = 8 * 1024 * 1024;
/** S3 takes no smaller part of an upload but the last. */
export const PART_BYTES_MIN = 5 * 1024 * 1024;

/** Of an object, whatever its parts: then there are numbers for all of them. */
export const OBJECT_BYTES_MAX = PART_BYTES_MIN * (LAST_PART - 1);

/** Pieces with consecutive numbers, under the claim of who put them. */
export interface Run {
  readonly claim: string;
  readonly from: number;
  readonly count: number;
}

/** Where the rows of an object are until it is shown, as a committable has it. */
export interface Kept {
  /** An upload of the object, whose parts have the first rows. */
  readonly parts?: Begun | undefined;
  /** Objects with the rows behind those, in their order. */
  readonly runs: readonly Run[];
  /** Their bytes. */
  readonly bytes: number;
  /** Pieces that are in parts since: a checkpoint before may still name them. They go with the others. */
  readonly merged: readonly Run[];
}

export const nothingKept: Kept = { runs: [], bytes: 0, merged: [] };

/** How pieces of an object are named: by claim and number. */
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
 * Rows of an object as objects of their own, one after another, never changed once they are there.
 *
 * Memory: what `memory` has room for.
 */
export class Pieces {
  /** Those that were put, and those of before. */
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

  /** Resolves with the piece that it is. */
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

  /** Takes all that are there, since they are elsewhere too. */
  take(): readonly Run[] {
    const { runs } = this;
    this.forget(runs);
    this.runs = [];
    this.bytes = 0;
    return runs;
  }

  /** The bodies of some need not be in memory any more. */
  forget(runs: readonly Run[]): void {
    for (const path of pathsOf(runs, this.pathOf)) this.memory.forget(path);
  }

  /** The bodies of some. */
  bodiesOf(runs: readonly Run[]): AsyncGenerator<Uint8Array> {
    return bodiesOf(this.buckets, this.memory, pathsOf(runs, this.pathOf));
  }
}

/** Each is asked for while the one before it goes on its way. Memory: two of them. */
export async function* bodiesOf(
  buckets: Buckets,
  memory: Memory,
  paths: readonly string[],
): AsyncGenerator<Uint8Array> {
  const ask = (path: string | undefined) => {
    if (path === undefined) return undefined;
    const body = Promise.resolve(memory.get(path) ?? buckets.bytes(path));
    body.catch(() => undefined); // told when its turn comes
    return body;
  };
  let next = ask(paths[0]);
  for (let i = 1; next !== undefined; i++) {
    const body = await next;
    next = ask(paths[i]);
    yield body;
  }
}

/** Bytes in parts of an upload, none of them too small unless all are. */
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
