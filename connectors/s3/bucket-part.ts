import type { Compress } from '../file/compress.js';
import type { Part } from '../file/rolling-writer.js';
import { Assembly } from './assembly.js';
import type { Buckets } from './bucket.js';
import type { Memory } from './memory.js';
import { PART_BYTES_MIN, PIECE_BYTES, type Pieces, type Put, runsOf } from './pieces.js';
import { RowBuffer } from './row-buffer.js';

export interface BucketPartOptions {
  readonly buckets: Buckets;
  readonly compress: Compress;
  readonly claim: string;
  /** Of the object. */
  readonly path: string;
  /** Of the n-th piece that this process puts. */
  readonly pathOf: (n: number) => string;
  readonly memory: Memory;
  /** Whether small pieces are put again as a large one, which the store can take as it is when the object is put together. */
  readonly merges: boolean;
}

/**
 * Rows of an object on their way, as pieces: one for each epoch in which rows came, and where there are many. One piece is
 * under way while the next fills.
 *
 * Memory: `PIECE_BYTES` twice, and what `memory` has.
 */
export class BucketPart implements Part {
  private readonly waiting = new RowBuffer();
  private underWay: Promise<void> = Promise.resolve();
  private readonly put: Put[] = [];
  private readonly merged: Put[] = [];
  private count = 0;
  /** How many of the last pieces are small and in memory, and their bytes. */
  private small = 0;
  private smallBytes = 0;
  private readonly assembly: Assembly;

  constructor(
    private readonly options: BucketPartOptions,
    private readonly before: Pieces,
  ) {
    this.assembly = new Assembly(options.buckets, options.path);
  }

  append(row: Uint8Array): void | Promise<void> {
    this.waiting.add(row);
    if (this.waiting.bytes < PIECE_BYTES) return;
    const earlier = this.underWay;
    this.flush();
    return earlier;
  }

  async keep(): Promise<Pieces> {
    const pieces = await this.pieces();
    const id = this.assembly.id;
    return id === undefined ? pieces : { ...pieces, upload: { id, tags: [] } };
  }

  async complete(): Promise<Pieces> {
    const pieces = await this.pieces();
    const upload = await this.assembly.begun();
    return upload === undefined ? pieces : { ...pieces, upload };
  }

  async close(): Promise<void> {
    this.assembly.stop();
    await this.underWay.catch(() => undefined); // what was not kept is written again
  }

  private async pieces(): Promise<Pieces> {
    this.flush();
    await this.underWay;
    const { claim } = this.options;
    const merged = [...(this.before.merged ?? []), ...runsOf(claim, this.merged)];
    const runs = [...this.before.runs, ...runsOf(claim, this.put)];
    return merged.length === 0 ? { runs } : { runs, merged };
  }

  private flush(): void {
    if (this.waiting.bytes === 0) return;
    const rows = this.waiting.take();
    this.underWay = this.underWay.then(() => this.putPiece(rows));
    this.underWay.catch(() => undefined); // whoever awaits it is told
  }

  private async putPiece(rows: Buffer): Promise<void> {
    const { compress, buckets, pathOf, memory, merges } = this.options;
    const bytes = await compress(rows);
    const n = this.count;
    this.count += 1;
    const large = merges && this.smallBytes + bytes.length >= PART_BYTES_MIN;
    const small = large ? this.put.slice(this.put.length - this.small) : [];
    const bodies = [...small.map((each) => memory.get(pathOf(each.n)) as Uint8Array), bytes];
    const body = small.length === 0 ? bytes : Buffer.concat(bodies);
    await buckets.put(pathOf(n), body);
    this.put.splice(this.put.length - small.length, small.length, { n, large });
    this.merged.push(...small);
    for (const each of small) memory.forget(pathOf(each.n));
    const isKept = !large && memory.keep(pathOf(n), body);
    this.small = isKept ? this.small + 1 : 0;
    this.smallBytes = isKept ? this.smallBytes + body.length : 0;
    this.waiting.giveBack(rows);
    // Parts are the first pieces of the object, none of them small.
    const isNext = large && this.before.runs.length === 0 && this.put.every((each) => each.large);
    if (isNext) this.assembly.add(pathOf(n));
  }
}
