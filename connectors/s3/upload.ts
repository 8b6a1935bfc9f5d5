import { answerOf, type Buckets, type Part } from './bucket.js';

/** An upload and its parts, as a committable has it. */
export interface Begun {
  readonly id: string;
  /** Of the parts with the numbers from 1 on. */
  readonly tags: readonly string[];
  /** Where the upload is written down, for who has to take it back. */
  readonly marker: string;
}

/** The largest number of a part. */
export const LAST_PART = 10_000;

/** Parts that are under way at a time. */
const PARTS_MAX = 4;

/**
 * A multipart upload: nobody sees anything of the object before it is complete. A marker beside the object says that there is one
 * as long as it has not ended: stores keep what was begun for ever, and show it to nobody.
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

  /** Takes back what a marker says was begun. */
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

  /** Once all that was added is there. */
  async begun(): Promise<Begun> {
    await Promise.all(this.underWay);
    if (this.failures.length > 0) throw this.failures[0];
    return { ...this.begunAs, tags: [...this.tags] };
  }

  /**
   * Shows the object, with the bytes of `rest` behind the parts. Their number is one that nobody else gives: who lost the task and
   * does not know it may still add parts.
   */
  async complete(rest?: Uint8Array): Promise<void> {
    const { id, tags, marker } = await this.begun();
    const parts = tags.map((tag, i) => ({ n: i + 1, tag }));
    if (rest !== undefined && rest.length > 0) parts.push(await this.putPart(LAST_PART, rest));
    try {
      await this.buckets.completeUpload(this.path, id, parts);
    } catch (error) {
      // It was done at an earlier try whose answer was lost: the upload is no more, and the object is there.
      if (answerOf(error).status !== 404 || !(await this.buckets.head(this.path))) throw error;
    }
    await this.buckets.remove(marker);
  }

  /** Takes back what there is of it, as well as can be. */
  async abort(): Promise<void> {
    await Promise.all(this.underWay); // a part that comes after the end would stay
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

/** Uploads of an object in all: one that a store has spoilt (`400`), or forgotten (`404`), is given up for another. */
const UPLOADS_MAX = 3;

/**
 * Puts parts together under a key that shows them all at once: by one request where there is one part, otherwise by an upload,
 * which is written down in `marker`. What failed half-way is taken back, and `parts` is asked again.
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
