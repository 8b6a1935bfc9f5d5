import { answerOf, type Buckets, type Part } from './bucket.js';

/** An upload and its parts, as in a committable. */
export interface Begun {
  readonly id: string;
  /** The tags of the parts from number 1. */
  readonly tags: readonly string[];
  /** The marker of the upload, for aborting it later. */
  readonly marker: string;
}

/** The largest part number. */
export const LAST_PART = 10_000;

/** Parts in flight. */
const PARTS_MAX = 4;

/**
 * A multipart upload: the object is invisible until it is complete. A marker beside the object exists as long as the upload does,
 * because stores keep unfinished uploads for ever and do not list them as objects.
 *
 * Memory: `PARTS_MAX` parts.
 */
export class Upload {
  private readonly tags: string[];
  private added: number;
  private readonly underWay = new Set<Promise<void>>();
  private readonly failures: unknown[] = [];

  private constructor(
    private readonly buckets: Buckets,
    private readonly path: string,
    private readonly begunAs: Begun,
  ) {
    this.tags = [...begunAs.tags];
    this.added = this.tags.length;
  }

  static async begin(buckets: Buckets, path: string, marker: string): Promise<Upload> {
    const id = await buckets.beginUpload(path);
    await buckets.put(marker, Buffer.from(JSON.stringify({ path, id })));
    return new Upload(buckets, path, { id, tags: [], marker });
  }

  static goOn(buckets: Buckets, path: string, begun: Begun): Upload {
    return new Upload(buckets, path, begun);
  }

  /** Aborts the upload of a marker. */
  static async takeBack(buckets: Buckets, marker: string): Promise<void> {
    const text = Buffer.from(await buckets.bytes(marker)).toString();
    const { path, id } = JSON.parse(text) as { readonly path: string; readonly id: string };
    await new Upload(buckets, path, { id, tags: [], marker }).abort();
  }

  /** Adds the next part; resolves when another one may be added. */
  async add(body: Uint8Array): Promise<void> {
    this.added += 1;
    const work: Promise<void> = this.put(this.added, body)
      .catch((error) => void this.failures.push(error))
      .finally(() => this.underWay.delete(work));
    this.underWay.add(work);
    if (this.underWay.size >= PARTS_MAX) await Promise.race(this.underWay);
    if (this.failures.length > 0) throw this.failures[0];
  }

  /** Resolves when all added parts are stored. */
  async begun(): Promise<Begun> {
    await Promise.all(this.underWay);
    if (this.failures.length > 0) throw this.failures[0];
    return { ...this.begunAs, tags: [...this.tags] };
  }

  /**
   * Makes the object visible, with `rest` as its last part. That part has a number that nobody else uses, because a process that
   * lost the task without knowing may still add parts.
   */
  async complete(rest?: Uint8Array): Promise<void> {
    const { id, tags, marker } = await this.begun();
    const parts = tags.map((tag, i) => ({ n: i + 1, tag }));
    if (rest !== undefined && rest.length > 0) parts.push(await this.putPart(LAST_PART, rest));
    try {
      await this.buckets.completeUpload(this.path, id, parts);
    } catch (error) {
      // An earlier try completed it and its answer was lost: the upload is gone and the object exists.
      if (answerOf(error).status !== 404 || !(await this.buckets.head(this.path))) throw error;
    }
    await this.buckets.remove(marker);
  }

  /** Aborts the upload, as far as possible. */
  async abort(): Promise<void> {
    await Promise.all(this.underWay); // a part that arrives later would remain
    try {
      await this.buckets.abortUpload(this.path, this.begunAs.id);
    } catch (error) {
      if (answerOf(error).status !== 404) return; // the marker stays, for a later try
    }
    await this.buckets.remove(this.begunAs.marker);
  }

  private async put(n: number, body: Uint8Array): Promise<void> {
    this.tags[n - 1] = (await this.putPart(n, body)).tag;
  }

  private putPart(n: number, body: Uint8Array): Promise<Part> {
    return this.buckets.putPart(this.path, this.begunAs.id, n, body);
  }
}

/** Uploads of an object in all: one that a store has broken (`400`) or forgotten (`404`) is replaced. */
const UPLOADS_MAX = 3;

/**
 * Combines parts into one object that appears at once: by one request for one part, otherwise by an upload with a `marker`. After a
 * failure the upload is aborted, and `parts` is called again.
 */
export async function putTogether(
  buckets: Buckets,
  path: string,
  marker: string,
  parts: () => AsyncGenerator<Uint8Array>,
): Promise<void> {
  for (let uploads = 1; ; uploads++) {
    const given = parts();
    let upload: Upload | undefined;
    try {
      const first = await given.next();
      const second = await given.next();
      if (second.done) return await buckets.put(path, first.done ? new Uint8Array(0) : first.value);
      upload = await Upload.begin(buckets, path, marker);
      await upload.add(first.value as Uint8Array);
      await upload.add(second.value);
      for await (const part of given) await upload.add(part);
      return await upload.complete();
    } catch (error) {
      await upload?.abort();
      const { status } = answerOf(error);
      if (uploads === UPLOADS_MAX || (status !== 400 && status !== 404)) throw error;
    } finally {
      await given.return(undefined);
    }
  }
}
