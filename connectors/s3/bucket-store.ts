import { randomBytes } from 'node:crypto';
import { MillraceError } from '../../src/core/errors.js';
import type { Compress } from '../file/compress.js';
import type { Part, PartStore } from '../file/rolling-writer.js';
import type { Buckets } from './bucket.js';

/** Bytes of a piece, and of a part of an upload (S3 takes none below 5 MiB but the last). */
const PIECE_BYTES = 8 * 1024 * 1024;

/** Requests without a body that are under way at a time. */
const REQUESTS_MAX = 8;

/** Pieces of a part in their order: runs of numbers under the claims of those who put them. */
interface Pieces {
  readonly runs: readonly { readonly claim: string; readonly count: number }[];
}

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
 */
export class BucketStore implements PartStore {
  private readonly claim = randomBytes(4).toString('hex');
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
    const paths = this.pathsOf(name, kept as Pieces);
    this.keep(paths);
    const [first] = paths;
    if (first !== undefined && !(await buckets.head(first))) {
      if (await buckets.head(`${folder}/${name}`)) return undefined;
      throw this.lost(name);
    }
    return this.partAt(name, kept as Pieces);
  }

  async show(name: string, complete: unknown): Promise<void> {
    const { buckets, folder, convert } = this.options;
    const path = `${folder}/${name}`;
    const pieces = this.pathsOf(name, complete as Pieces);
    if (!(await buckets.head(path))) {
      await sideBySide(pieces, async (piece) => {
        if (!(await buckets.head(piece))) throw this.lost(name);
      });
      const bodies = this.bodiesOf(pieces);
      const parts = partsOf(convert === undefined ? bodies : convert(bodies));
      const first = await parts.next();
      const second = await parts.next();
      if (second.done) await buckets.put(path, first.value ?? new Uint8Array(0));
      else await buckets.putParts(path, chained([first.value as Uint8Array, second.value], parts));
    }
    await sideBySide(pieces, (piece) => buckets.remove(piece));
  }

  async sweep(): Promise<void> {
    await sideBySide(this.leftovers.splice(0), (path) => this.options.buckets.remove(path));
  }

  /** Each is asked for while the one before it goes on its way. Memory: two of them. */
  private async *bodiesOf(pieces: readonly string[]): AsyncGenerator<Uint8Array> {
    const ask = (piece: string | undefined) => {
      const body = piece === undefined ? undefined : this.options.buckets.bytes(piece);
      body?.catch(() => undefined); // told when its turn comes
      return body;
    };
    let next = ask(pieces[0]);
    for (let i = 1; next !== undefined; i++) {
      const body = await next;
      next = ask(pieces[i]);
      yield body;
    }
  }

  private partAt(name: string, { runs }: Pieces): Part {
    const { buckets, compress } = this.options;
    const { claim } = this;
    let waiting: Uint8Array[] = [];
    let waitingBytes = 0;
    let count = 0;
    const flush = async (): Promise<void> => {
      if (waiting.length === 0) return;
      const rows = Buffer.concat(waiting);
      waiting = [];
      waitingBytes = 0;
      await buckets.put(this.pathOf(name, claim, count), await compress(rows));
      count += 1;
    };
    const keep = async (): Promise<Pieces> => {
      await flush();
      return { runs: count === 0 ? runs : [...runs, { claim, count }] };
    };
    return {
      append(row) {
        waiting.push(row);
        waitingBytes += row.length;
        if (waitingBytes >= PIECE_BYTES) return flush();
      },
      keep,
      complete: keep,
      close: async () => undefined,
    };
  }

  private pathOf(name: string, claim: string, n: number): string {
    const { folder, owner } = this.options;
    return `${folder}/.millrace/${owner}~${name.replaceAll('/', '~')}~${claim}~${n}`;
  }

  private pathsOf(name: string, { runs }: Pieces): string[] {
    return runs.flatMap(({ claim, count }) => Array.from({ length: count }, (_, n) => this.pathOf(name, claim, n)));
  }

  private keep(paths: readonly string[]): void {
    const kept = new Set(paths);
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

/** Does something with each of some paths, a few at a time. */
async function sideBySide(paths: readonly string[], work: (path: string) => Promise<void>): Promise<void> {
  const rest = paths[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: REQUESTS_MAX }, async () => {
      for (const path of rest) await work(path);
    }),
  );
}

/** Bytes in parts that an upload takes. Memory: two of them. */
async function* partsOf(bodies: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const body of bodies) {
    waiting.push(body);
    bytes += body.length;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

async function* chained(first: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}
