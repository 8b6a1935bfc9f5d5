import type { BucketChange, Cell, Origin, SinkWriter } from '../core/index.js';
import { decode, encode, tags } from '../state/codec.js';

/** Rows as the checkpoint keeps them: values, and of their origins what a sink may need. */
interface Kept {
  readonly values: readonly unknown[];
  readonly origins: readonly Origin[];
}

/**
 * A sink that is written only after the checkpoint, from rows that the checkpoint keeps until the sink has taken them.
 *
 * For sinks outside the ledger's transaction this closes the gap between the two: what reached the sink is always what
 * the checkpoint says, whatever a replay would decide otherwise. It is the cell of its rows and the sink's writer at once.
 *
 * Memory: the rows of one epoch, which the task keeps below `rowsMax` by committing earlier.
 */
export class DeferredSink implements SinkWriter, Cell {
  /** Not yet in a checkpoint. */
  private values: unknown[] = [];
  private origins: Origin[] = [];
  /** In the checkpoint, and not yet known to be in the sink; by bucket. */
  private readonly kept = new Map<number, Kept>();
  /** In the sink: to be taken out of the checkpoint with the next one. */
  private taken: number[] = [];
  private nextBucket = 0;

  constructor(
    private readonly writer: SinkWriter,
    readonly rowsMax: number,
  ) {}

  get rows(): number {
    return this.values.length;
  }

  unrepresentable(value: unknown): string | undefined {
    return this.writer.unrepresentable?.(value);
  }

  write(values: readonly unknown[], origins: readonly Origin[]): void {
    for (let i = 0; i < values.length; i++) {
      this.values.push(values[i]);
      this.origins.push(origins[i] as Origin);
    }
  }

  finish(): void {
    this.writer.finish?.();
  }

  isDue(): boolean {
    return this.writer.isDue?.() ?? false;
  }

  commit(): Promise<void> {
    return this.give((values, origins) => this.writer.write(values, origins));
  }

  /** Gives the sink what a checkpoint kept for it; some of it may have arrived before the process died. */
  async recover(): Promise<void> {
    if (this.kept.size === 0) return;
    const write = this.writer.recover ?? this.writer.write;
    await this.give((values, origins) => write.call(this.writer, values, origins));
  }

  /** Rows count as taken once the sink has said that it has all of them: until then they stay in the checkpoint. */
  private async give(write: SinkWriter['write']): Promise<void> {
    for (const { values, origins } of this.kept.values()) await write(values, origins);
    await this.writer.prepare?.();
    await this.writer.commit?.();
    this.taken.push(...this.kept.keys());
    this.kept.clear();
  }

  close(): Promise<void> {
    return this.writer.close();
  }

  restore(bucket: number, bytes: Uint8Array): void {
    this.kept.set(bucket, decode(tags.rows, bytes) as Kept);
    this.nextBucket = Math.max(this.nextBucket, bucket + 1);
  }

  takeChanges(): BucketChange[] {
    const changes: BucketChange[] = this.taken.map((bucket) => ({ bucket, bytes: null }));
    this.taken = [];
    if (this.values.length === 0) return changes;
    // Raw bytes and headers are for dead letters; a row that came this far is none.
    const rows: Kept = {
      values: this.values,
      origins: this.origins.map((origin) => ({ ...origin, raw: null, json: undefined, headers: undefined })),
    };
    this.values = [];
    this.origins = [];
    const bucket = this.nextBucket++;
    this.kept.set(bucket, rows);
    changes.push({ bucket, bytes: encode(tags.rows, rows) });
    return changes;
  }
}
