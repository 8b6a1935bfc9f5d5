import type { BucketChange, Cell, Origin, SinkWriter, WatermarkMarker } from '../core/index.js';
import { decode, encode, tags } from '../state/codec.js';

/** In the place of a topic, in the origin of what is known by its number. */
const CHANGES = '$changes';

/**
 * A sink whose values replace each other: it is given them numbered, in the place of where they come from, so that it knows
 * the later of two though they come from different inputs. It is the cell of the count and the sink's writer at once.
 *
 * Guarantee: the count is in the checkpoint, so a replay gives each value the number that it had. Where the state of several
 * tasks becomes that of others, the highest count goes on.
 * Memory: one number.
 */
export class SequencedSink implements Required<Omit<SinkWriter, 'recover'>>, Cell {
  private next = 0;
  private stored = 0;

  constructor(private readonly writer: SinkWriter) {}

  unrepresentable(value: unknown): string | undefined {
    return this.writer.unrepresentable?.(value);
  }

  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void> {
    const numbered = origins.map((origin) => ({ ...origin, topic: CHANGES, offset: this.next++ }));
    return this.writer.write(values, numbered);
  }

  mark(mark: WatermarkMarker): void {
    this.writer.mark?.(mark);
  }

  finish(): void {
    this.writer.finish?.();
  }

  isDue(): boolean {
    return this.writer.isDue?.() ?? false;
  }

  prepare(): Promise<unknown> {
    return this.writer.prepare?.() ?? Promise.resolve();
  }

  async commit(): Promise<void> {
    await this.writer.commit?.();
  }

  close(): Promise<void> {
    return this.writer.close();
  }

  restore(_bucket: number, bytes: Uint8Array): void {
    this.next = Math.max(this.next, decode(tags.value, bytes) as number);
    this.stored = this.next;
  }

  takeChanges(): BucketChange[] {
    if (this.next === this.stored) return [];
    this.stored = this.next;
    return [{ bucket: 0, bytes: encode(tags.value, this.next) }];
  }
}
