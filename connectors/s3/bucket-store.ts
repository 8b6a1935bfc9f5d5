import { randomBytes } from 'node:crypto';
import { MillraceError } from '../../src/core/errors.js';
import type { Compress } from '../file/compress.js';
import type { Columns } from '../file/parquet/packed-rows.js';
import { parquetOf } from '../file/parquet/to-parquet-thread.js';
import type { Part, PartStore } from '../file/rolling-writer.js';
import { answerOf, type Buckets } from './bucket.js';
import { BucketPart } from './bucket-part.js';
import { LinePartWriter } from './line-part-writer.js';
import { Memory } from './memory.js';
import { PackedPartWriter } from './packed-part-writer.js';
import { ParquetUpload } from './parquet-upload.js';
import { bodiesOf, inParts, type Kept, nothingKept, Pieces, pathsOf } from './pieces.js';
import { putTogether, Upload } from './upload.js';

/** Requests without a body in flight. */
const REQUESTS_MAX = 8;

/** Bytes of pieces that are cached for the object that they become, for all objects of a task. */
const MEMORY_BYTES = 32 * 1024 * 1024;

/** The suffix of pieces that are markers of uploads. */
const UPLOAD = 'upload';

export interface BucketStoreOptions {
  readonly buckets: Buckets;
  /** Bucket and prefix. */
  readonly folder: string;
  readonly owner: string;
  readonly compress: Compress;
  /** For Parquet: rows are packed, and the object is made from them. */
  readonly columns?: Columns | undefined;
}

/**
 * Objects in progress. Lines are parts of a multipart upload, and too small rests are pieces below `.millrace/` of the prefix. Rows
 * for Parquet are packed in such pieces. A complete object becomes visible at once. Claims separate owners as in a folder: nobody
 * overwrites an object of another owner.
 *
 * Memory: that of open parts, and `MEMORY_BYTES`.
 */
export class BucketStore implements PartStore {
  private readonly claim = randomBytes(4).toString('hex');
  private readonly memory = new Memory(MEMORY_BYTES);
  /** Parquet objects that this process makes while their rows arrive, by name. */
  private readonly made = new Map<string, ParquetUpload>();
  private leftovers: string[] = [];

  private constructor(private readonly options: BucketStoreOptions) {}

  static async open(options: BucketStoreOptions): Promise<BucketStore> {
    const store = new BucketStore(options);
    store.leftovers = [...(await options.buckets.list(`${options.folder}/.millrace/${options.owner}~`))];
    return store;
  }

  async create(name: string): Promise<Part> {
    const { buckets, folder, columns } = this.options;
    const path = `${folder}/${name}`;
    if (await buckets.head(path)) {
      throw new MillraceError('config', `${path} already exists`, {
        where: folder,
        hint: 'it is not in the checkpoints of this sink: use an empty prefix',
        permanent: true,
      });
    }
    if (columns === undefined) return this.partAt(name, nothingKept);
    const object = new ParquetUpload({ buckets, columns, path, marker: this.markerOf(name) });
    this.made.set(name, object);
    return new BucketPart(new PackedPartWriter(this.piecesOf(name, nothingKept), object));
  }

  /** Completes an upload as it was stored, because the previous owner may still add parts; later rows go to another object. */
  async adopt(name: string, committable: unknown): Promise<Part | undefined> {
    const { buckets, folder } = this.options;
    const kept = committable as Kept;
    if (kept.parts !== undefined) {
      await this.show(name, kept);
      return undefined;
    }
    const paths = this.pathsOf(name, kept);
    this.leftovers = this.leftovers.filter((path) => !paths.includes(path));
    const [first] = paths;
    if (first !== undefined && !(await buckets.head(first))) {
      if (await buckets.head(`${folder}/${name}`)) return undefined;
      throw this.lost(name);
    }
    return this.partAt(name, kept);
  }

  async show(name: string, complete: unknown): Promise<void> {
    const { buckets, folder } = this.options;
    const kept = complete as Kept;
    const path = `${folder}/${name}`;
    if (!(await buckets.head(path))) {
      try {
        await this.make(name, kept);
      } catch (error) {
        if (answerOf(error).status === 404 && (await this.isLost(name, kept))) throw this.lost(name);
        throw error;
      }
    }
    this.made.get(name)?.stop();
    this.made.delete(name);
    await sideBySide(this.pathsOf(name, kept), (piece) => {
      this.memory.forget(piece);
      return buckets.remove(piece);
    });
  }

  async sweep(): Promise<void> {
    const { buckets } = this.options;
    await sideBySide(this.leftovers.splice(0), async (path) => {
      if (!path.endsWith(`~${UPLOAD}`)) return buckets.remove(path);
      await Upload.takeBack(buckets, path).catch((error: unknown) => {
        if (answerOf(error).status !== 404) throw error; // it has ended since
      });
    });
  }

  /** Makes the object from its stored rows. */
  private async make(name: string, { parts, runs }: Kept): Promise<void> {
    const { buckets, folder, columns } = this.options;
    const path = `${folder}/${name}`;
    const bodies = () => bodiesOf(buckets, this.memory, pathsOf(runs, this.pathOf(name)));
    if (parts !== undefined) return Upload.goOn(buckets, path, parts).complete(await whole(bodies()));
    const made = this.made.get(name);
    this.made.delete(name);
    if (made !== undefined) {
      try {
        return await made.complete();
      } catch {
        // The object is made again from its pieces, and errors in them are reported then.
      }
    }
    const given = columns === undefined ? bodies : () => parquetOf(bodies(), columns);
    await putTogether(buckets, path, this.markerOf(name), () => inParts(given()));
  }

  /** Whether rows are lost: their upload or their pieces. */
  private async isLost(name: string, { parts, runs }: Kept): Promise<boolean> {
    if (parts !== undefined) return true;
    for (const path of pathsOf(runs, this.pathOf(name))) if (!(await this.options.buckets.head(path))) return true;
    return false;
  }

  private partAt(name: string, kept: Kept): Part {
    const { buckets, folder, compress, columns } = this.options;
    const pieces = this.piecesOf(name, kept);
    if (columns !== undefined) return new BucketPart(new PackedPartWriter(pieces, undefined));
    const path = `${folder}/${name}`;
    return new BucketPart(new LinePartWriter({ buckets, compress, path, marker: this.markerOf(name), pieces }, kept));
  }

  private piecesOf(name: string, kept: Kept): Pieces {
    return new Pieces(this.options.buckets, this.memory, this.claim, this.pathOf(name), kept);
  }

  private readonly pathOf =
    (name: string) =>
    (claim: string, n: number | string): string => {
      const { folder, owner } = this.options;
      return `${folder}/.millrace/${owner}~${name.replaceAll('/', '~')}~${claim}~${n}`;
    };

  private markerOf(name: string): string {
    return this.pathOf(name)(this.claim, UPLOAD);
  }

  private pathsOf(name: string, { runs, merged }: Kept): string[] {
    return [...pathsOf(runs, this.pathOf(name)), ...pathsOf(merged, this.pathOf(name))];
  }

  private lost(name: string): MillraceError {
    const { folder } = this.options;
    return new MillraceError('sink', `rows of ${name} that the checkpoint lists as written are missing`, {
      where: folder,
      hint:
        `somebody, or a rule of the bucket, removed objects below ${folder}/.millrace or aborted an upload that was not complete: restore ` +
        'them, or restore an earlier savepoint',
      permanent: true,
    });
  }
}

/** Runs work for several items, a few at a time. */
async function sideBySide<T>(things: readonly T[], work: (thing: T) => Promise<void>): Promise<void> {
  const rest = things[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: REQUESTS_MAX }, async () => {
      for (const thing of rest) await work(thing);
    }),
  );
}

async function whole(bodies: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const body of bodies) all.push(body);
  return Buffer.concat(all);
}
