import type { Buckets } from './bucket.js';
import { type Begun, Upload } from './upload.js';

/**
 * An object that is put together while its rows still come, of pieces that are put already: the store copies one after another
 * into an upload, beside all else. What goes wrong with it is not told: the pieces are there, and the upload can be made anew.
 */
export class Assembly {
  /** Of an upload that was begun. */
  id: string | undefined;
  private readonly paths: string[] = [];
  private upload: Upload | undefined;
  private underWay: Promise<void> = Promise.resolve();
  private isGivenUp = false;

  constructor(
    private readonly buckets: Buckets,
    private readonly path: string,
  ) {}

  /** The next piece. An upload is begun when there are two: one is an object by a copy. */
  add(from: string): void {
    this.paths.push(from);
    if (this.paths.length === 1 || this.isGivenUp) return;
    const parts = this.paths.length === 2 ? [...this.paths] : [from];
    this.underWay = this.underWay.then(() => this.copy(parts)).catch(() => this.giveUp());
  }

  /** The upload with all that was added, if there is one. */
  async begun(): Promise<Begun | undefined> {
    await this.underWay;
    return this.isGivenUp ? undefined : this.upload?.begun();
  }

  /** Nothing is begun any more; an upload stays as it is. */
  stop(): void {
    this.isGivenUp = true;
  }

  private async copy(paths: readonly string[]): Promise<void> {
    if (this.isGivenUp) return;
    if (this.upload === undefined) {
      this.upload = await Upload.begin(this.buckets, this.path);
      this.id = this.upload.id;
    }
    for (const from of paths) if (!this.isGivenUp) await this.upload.add({ from });
    await this.upload.begun();
  }

  private async giveUp(): Promise<void> {
    this.isGivenUp = true;
    await this.upload?.abort();
  }
}
