import { answerOf, type Buckets, plain, textOf } from './bucket.js';

/** A part of an object: bytes, or an object that the store takes them from. */
export type UploadPart = { readonly body: Uint8Array } | { readonly from: string };

/** An upload and the first of its parts, as a receipt has it. */
export interface Begun {
  readonly id: string;
  readonly tags: readonly string[];
}

/** Parts that are under way at a time. */
const PARTS_MAX = 4;

/**
 * A multipart upload: nobody sees anything of the object before it is complete.
 *
 * Memory: `PARTS_MAX` parts that have bytes.
 */
export class Upload {
  private readonly tags: string[];
  private added: number;
  private readonly underWay = new Set<Promise<void>>();
  private readonly failures: unknown[] = [];

  private constructor(
    private readonly buckets: Buckets,
    private readonly path: string,
    readonly id: string,
    tags: readonly string[],
  ) {
    this.tags = [...tags];
    this.added = tags.length;
  }

  static async begin(buckets: Buckets, path: string): Promise<Upload> {
    const begun = await buckets.ask({ method: 'POST', path, query: '?uploads=' }, textOf);
    return new Upload(buckets, path, plain(/<UploadId>([^<]*)</.exec(begun)?.[1] ?? ''), []);
  }

  static goOn(buckets: Buckets, path: string, { id, tags }: Begun): Upload {
    return new Upload(buckets, path, id, tags);
  }

  /** Resolves when another part may be added. */
  async add(part: UploadPart): Promise<void> {
    this.added += 1;
    const work: Promise<void> = this.put(this.added, part)
      .catch((error) => void this.failures.push(error))
      .finally(() => this.underWay.delete(work));
    this.underWay.add(work);
    if (this.underWay.size >= PARTS_MAX) await Promise.race(this.underWay);
    if (this.failures.length > 0) throw this.failures[0];
  }

  /** Once all that was added is there. */
  async begun(): Promise<Begun> {
    await Promise.all(this.underWay);
    if (this.failures.length > 0) throw this.failures[0];
    return { id: this.id, tags: [...this.tags] };
  }

  async complete(): Promise<void> {
    const { tags } = await this.begun();
    const xml = tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`).join('');
    const body = Buffer.from(`<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`);
    try {
      await this.buckets.copied({ method: 'POST', path: this.path, query: this.query, body });
    } catch (error) {
      // It was done at an earlier try whose answer was lost: the upload is no more, and the object is there.
      if (answerOf(error).status !== 404 || !(await this.buckets.head(this.path))) throw error;
    }
  }

  /** Takes back what there is of it, as well as can be. */
  async abort(): Promise<void> {
    await Promise.all(this.underWay); // a part that comes after the end would stay
    await this.buckets.ask({ method: 'DELETE', path: this.path, query: this.query }).catch(() => undefined); // the store does it after some days
  }

  private async put(n: number, part: UploadPart): Promise<void> {
    const query = `?partNumber=${n}&${this.query.slice(1)}`;
    this.tags[n - 1] =
      'from' in part
        ? await this.buckets.copy(this.path, part.from, query)
        : ((await this.buckets.ask({ method: 'PUT', path: this.path, query, ...part })).headers.get('etag') ?? '');
  }

  private get query(): string {
    return `?uploadId=${encodeURIComponent(this.id)}`;
  }
}

/** Uploads of an object in all: one that a store has spoilt (`400`), or forgotten (`404`), is given up for another. */
const UPLOADS_MAX = 3;

/**
 * Puts parts together under a key that shows them all at once: by one request where there is one part, otherwise by an upload. It
 * goes on with one that was begun, as long as the store knows it. What failed half-way is taken back. `partsFrom` is asked for
 * the parts behind so many, again for each upload.
 */
export async function putTogether(
  buckets: Buckets,
  path: string,
  partsFrom: (added: number) => AsyncGenerator<UploadPart>,
  begun?: Begun,
): Promise<void> {
  let known = begun;
  for (let uploads = 1; ; uploads++) {
    const parts = partsFrom(known?.tags.length ?? 0);
    let upload = known && Upload.goOn(buckets, path, known);
    known = undefined;
    try {
      let next = await parts.next();
      if (upload === undefined) {
        const first = next.done ? { body: new Uint8Array(0) } : next.value;
        next = await parts.next();
        if (next.done) {
          await ('from' in first ? buckets.copy(path, first.from) : buckets.put(path, first.body));
          return;
        }
        upload = await Upload.begin(buckets, path);
        await upload.add(first);
      }
      for (; !next.done; next = await parts.next()) await upload.add(next.value);
      return await upload.complete();
    } catch (error) {
      await upload?.abort();
      const { status } = answerOf(error);
      if (uploads === UPLOADS_MAX || (status !== 400 && status !== 404)) throw error;
    } finally {
      await parts.return(undefined);
    }
  }
}
