import { randomBytes } from 'node:crypto';
import { MillraceError } from '../../src/core/errors.js';
import type { Compress } from '../file/compress.js';
import type { Part, PartStore } from '../file/rolling-writer.js';
import { answerOf, type Buckets } from './bucket.js';
import { BucketPart } from './bucket-part.js';
import { Memory } from './memory.js';
import { inParts, type Piece, type Pieces, partsOf, type Run } from './pieces.js';
import { putTogether, Upload } from './upload.js';

/** Requests without a body that are under way at a time. */
const REQUESTS_MAX = 8;

/** Bytes of pieces that are kept for the object that they become, of all objects of a task. */
const MEMORY_BYTES = 32 * 1024 * 1024;

export interface BucketStoreOptions {
  readonly buckets: Buckets;
  /** Bucket and prefix. */
  readonly folder: string;
  readonly owner: string;
  readonly compress: Compress;
  /** Makes the object of the packed rows in its pieces (Parquet); they are put together as they are where it is missing. */
  readonly convert?: ((packed: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>) | undefined;
}

/**
 * Parts as pieces below `.millrace/` of a prefix: one for each epoch in which rows came, never changed once it is there. A
 * complete part becomes one object, and its pieces go. Claims as in a folder: nobody writes over what another one put.
 *
 * Memory: what open parts have, and `MEMORY_BYTES`.
 */
export class BucketStore implements PartStore {
  private readonly claim = randomBytes(4).toString('hex');
  private readonly memory = new Memory(MEMORY_BYTES);
  private leftovers: string[] = [];

  private constructor(private readonly options: BucketStoreOptions) {}

  static async open(options: BucketStoreOptions): Promise<BucketStore> {
    const store = new BucketStore(options);
    store.leftovers = [...(await options.buckets.list(`${options.folder}/.millrace/${options.owner}~`))];
    return store;
  }

  async create(name: string): Promise<Part> {
    const { buckets, folder } = this.options;
    if (await buckets.head(`${folder}/${name}`)) {
      throw new MillraceError('config', `${folder}/${name} is there already`, {
        where: folder,
        hint: 'another run wrote it, with checkpoints that are gone: give this one an empty prefix',
        lasting: true,
      });
    }
    return this.partAt(name, { runs: [] });
  }

  async adopt(name: string, kept: unknown): Promise<Part | undefined> {
    const { buckets, folder } = this.options;
    const pieces = this.piecesOf(name, kept as Pieces);
    this.keep([...pieces, ...this.mergedOf(name, kept as Pieces)]);
    const { upload, ...rows } = kept as Pieces;
    if (upload) await Upload.goOn(buckets, `${folder}/${name}`, upload).abort(); // it has what came after the checkpoint
    const [first] = pieces;
    if (first !== undefined && !(await buckets.head(first.path))) {
      if (await buckets.head(`${folder}/${name}`)) return undefined;
      throw this.lost(name);
    }
    return this.partAt(name, rows);
  }

  async show(name: string, complete: unknown): Promise<void> {
    const { buckets, folder } = this.options;
    const path = `${folder}/${name}`;
    const pieces = this.piecesOf(name, complete as Pieces);
    if (!(await buckets.head(path))) {
      try {
        const { upload } = complete as Pieces;
        await putTogether(buckets, path, (added) => this.partsOf(pieces.slice(added)), upload);
      } catch (error) {
        if (answerOf(error).status === 404 && (await this.isLost(pieces))) throw this.lost(name);
        throw error;
      }
    }
    await sideBySide([...pieces, ...this.mergedOf(name, complete as Pieces)], ({ path: piece }) => {
      this.memory.forget(piece);
      return buckets.remove(piece);
    });
  }

  async sweep(): Promise<void> {
    await sideBySide(this.leftovers.splice(0), (path) => this.options.buckets.remove(path));
  }

  private partsOf(pieces: readonly Piece[]) {
    const { convert } = this.options;
    const bodiesOf = (paths: readonly string[]) => this.bodiesOf(paths);
    if (convert === undefined) return partsOf(pieces, bodiesOf);
    return inParts(convert(bodiesOf(pieces.map(({ path }) => path))));
  }

  /** Each is asked for while the one before it goes on its way. Memory: two of them. */
  private async *bodiesOf(pieces: readonly string[]): AsyncGenerator<Uint8Array> {
    const ask = (piece: string | undefined) => {
      if (piece === undefined) return undefined;
      const body = Promise.resolve(this.memory.get(piece) ?? this.options.buckets.bytes(piece));
      body.catch(() => undefined); // told when its turn comes
      return body;
    };
    let next = ask(pieces[0]);
    for (let i = 1; next !== undefined; i++) {
      const body = await next;
      next = ask(pieces[i]);
      yield body;
    }
  }

  private async isLost(pieces: readonly Piece[]): Promise<boolean> {
    for (const { path } of pieces) if (!(await this.options.buckets.head(path))) return true;
    return false;
  }

  private partAt(name: string, before: Pieces): Part {
    const { buckets, folder, compress, convert } = this.options;
    const { claim, memory } = this;
    const pathOf = (n: number) => this.pathOf(name, claim, n);
    const path = `${folder}/${name}`;
    return new BucketPart({ buckets, path, compress, claim, pathOf, memory, merges: convert === undefined }, before);
  }

  private pathOf(name: string, claim: string, n: number): string {
    const { folder, owner } = this.options;
    return `${folder}/.millrace/${owner}~${name.replaceAll('/', '~')}~${claim}~${n}`;
  }

  private piecesOf(name: string, { runs }: Pieces): Piece[] {
    return runs.flatMap((run) => this.piecesOfRun(name, run));
  }

  private mergedOf(name: string, { merged = [] }: Pieces): Piece[] {
    return merged.flatMap((run) => this.piecesOfRun(name, run));
  }

  private piecesOfRun(name: string, { claim, from = 0, count, large }: Run): Piece[] {
    return Array.from({ length: count }, (_, i) => ({
      path: this.pathOf(name, claim, from + i),
      large: large ?? false,
    }));
  }

  private keep(pieces: readonly Piece[]): void {
    const kept = new Set(pieces.map(({ path }) => path));
    this.leftovers = this.leftovers.filter((path) => !kept.has(path));
  }

  private lost(name: string): MillraceError {
    const { folder } = this.options;
    return new MillraceError('sink', `rows of ${name} that the checkpoint counts as written are gone`, {
      where: folder,
      hint: `somebody removed objects below ${folder}/.millrace: restore them, or begin anew from a savepoint before`,
      lasting: true,
    });
  }
}

/** Does something with each of some things, a few at a time. */
async function sideBySide<T>(things: readonly T[], work: (thing: T) => Promise<void>): Promise<void> {
  const rest = things[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: REQUESTS_MAX }, async () => {
      for (const thing of rest) await work(thing);
    }),
  );
}
