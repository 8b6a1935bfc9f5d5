import type { Origin, Position, RawRecord, SourceReader } from '../core/index.js';
import { messageOf } from '../core/index.js';
import type { WireCodec } from '../schema/index.js';
import type { SourceNode } from '../topology/index.js';
import { advance, type MergeClock } from './merge-time.js';

/** What a buffer holds in the place of a value that the steps cannot be given. */
export class Unusable {
  constructor(
    readonly reason: string,
    readonly detail: string,
  ) {}
}
export const TOMBSTONE = new Unusable('tombstone', '');

/**
 * One partition of one source: decodes what the reader polls and keeps it, in log order, until it is merged. Its
 * position is that of the next record to merge, whatever has been read ahead.
 */
export class Input {
  private values: unknown[] = [];
  private origins: Origin[] = [];
  private times: number[] = [];
  private suspects: (number | null)[] = [];
  private head = 0;
  private readonly clock: MergeClock;
  private mergedPosition: Position;
  private reachedEnd = false;
  private polling: Promise<void> | undefined;
  private failure: unknown;
  /** Processing time at which the last record came, or the input was opened. */
  private lastRecordMs: number;

  constructor(
    readonly node: SourceNode,
    private readonly partition: number,
    private readonly reader: SourceReader,
    private readonly codec: WireCodec<unknown>,
    private readonly now: () => number,
    position: Position,
  ) {
    this.mergedPosition = position;
    this.clock = { timeMs: position.mergeTimeMs, suspectMs: position.suspectMs };
    this.lastRecordMs = now();
  }

  get buffered(): number {
    return this.values.length - this.head;
  }

  /** Nothing is buffered and nothing will follow. */
  get ended(): boolean {
    return this.reachedEnd && this.buffered === 0;
  }

  /** It has been quiet for as long as others wait for it. */
  isIdle(nowMs: number): boolean {
    const { idleMax } = this.node.source;
    return idleMax !== undefined && this.buffered === 0 && nowMs - this.lastRecordMs >= idleMax;
  }

  get position(): Position {
    return this.mergedPosition;
  }

  /**
   * Starts a poll unless one is under way or `recordsMax` are buffered; the promise resolves with it. A poll that failed
   * throws at the next call: it runs ahead of the loop, which may look only then.
   */
  fill(recordsMax: number): Promise<void> | undefined {
    if (this.failure !== undefined) throw this.failure;
    if (!this.polling && !this.reachedEnd && this.buffered < recordsMax) {
      this.polling = this.poll(recordsMax).then(
        () => {
          this.polling = undefined;
        },
        (error: unknown) => {
          this.polling = undefined;
          this.failure = error;
        },
      );
    }
    return this.polling;
  }

  // The head, for the merge: plain fields instead of an object per record.
  get headTimeMs(): number {
    return this.times[this.head] as number;
  }
  get headValue(): unknown {
    return this.values[this.head];
  }
  get headOrigin(): Origin {
    return this.origins[this.head] as Origin;
  }

  /** Moves past the head. */
  shift(): void {
    const { head } = this;
    this.head += 1;
    if (this.head < this.values.length) return;
    this.mergedPosition = this.positionAfter(head);
    this.values = [];
    this.origins = [];
    this.times = [];
    this.suspects = [];
    this.head = 0;
  }

  /** Fixes the position after a round: once a round, since a position object a record would be garbage. */
  settle(): void {
    if (this.head > 0) this.mergedPosition = this.positionAfter(this.head - 1);
  }

  async close(): Promise<void> {
    this.reachedEnd = true;
    await this.reader.close();
    await this.polling;
  }

  private positionAfter(index: number): Position {
    return {
      offset: (this.origins[index] as Origin).offset + 1,
      mergeTimeMs: this.times[index] as number,
      suspectMs: this.suspects[index] ?? null,
    };
  }

  private async poll(recordsMax: number): Promise<void> {
    const { records, ended } = await this.reader.poll(recordsMax);
    if (records.length > 0) {
      await this.codec.prepare(records);
      this.compact();
      const receivedAtMs = this.now();
      this.lastRecordMs = receivedAtMs;
      for (const record of records) this.append(record, receivedAtMs);
    }
    if (ended) this.reachedEnd = true;
  }

  private append(record: RawRecord, receivedAtMs: number): void {
    const value = record.value === null ? TOMBSTONE : this.decode(record.value);
    const eventTimeMs = value instanceof Unusable ? Number.NaN : this.eventTime(value, record.timestampMs);
    const known = Number.isFinite(eventTimeMs);
    const timeMs = known ? advance(this.clock, eventTimeMs) : this.clock.timeMs;
    this.values.push(
      known || value instanceof Unusable ? value : new Unusable('event-time', `event time is ${eventTimeMs}`),
    );
    this.origins.push({
      topic: this.node.source.topic,
      partition: this.partition,
      offset: record.offset,
      eventTimeMs: known ? eventTimeMs : record.timestampMs,
      receivedAtMs,
      key: record.key,
      raw: record.value,
      headers: record.headers,
      order: 0,
    });
    this.times.push(timeMs);
    this.suspects.push(this.clock.suspectMs);
  }

  private decode(bytes: Uint8Array): unknown {
    try {
      return this.codec.decode(bytes);
    } catch (error) {
      const reason = (error as { reason?: unknown }).reason;
      return new Unusable(typeof reason === 'string' ? reason : 'malformed', messageOf(error));
    }
  }

  private eventTime(value: unknown, timestampMs: number): number {
    try {
      return Number(this.node.source.eventTimeOf(value, timestampMs));
    } catch {
      return Number.NaN; // a callback that trips over a strange value: the record goes to the dead letters
    }
  }

  /** Drops what was merged before appending, so that the arrays stay as long as what is buffered. */
  private compact(): void {
    if (this.head === 0) return;
    this.settle();
    this.values = this.values.slice(this.head);
    this.origins = this.origins.slice(this.head);
    this.times = this.times.slice(this.head);
    this.suspects = this.suspects.slice(this.head);
    this.head = 0;
  }
}
