import type { EventClock, Origin, Position, RawRecord, SourceReader, Upsert, WatermarkMarkers } from '../core/index.js';
import {
  asReadBy,
  BEFORE_ALL_MS,
  bytesOf,
  credibleJump,
  eventClock,
  internalEventTime,
  isSettled,
  markerOf,
  messageOf,
  observe,
  positionKey,
  type WatermarkMarker,
} from '../core/index.js';
import { decodeRecord, type WireDecoder } from '../schema/index.js';
import type { SourceNode } from '../topology/index.js';
import { nextTurn } from '../util/next-turn.js';
import { roughBytes } from '../util/rough-bytes.js';
import { Silence } from './clock.js';
import { eventTimeIn, implausible, shownTime, within1970And9999 } from './event-time.js';
import { lowestOf, withMarker } from './watermark-markers.js';

/** The largest jump that one record may cause. */
export const JUMP_MS = credibleJump(0);

/** Bytes that are decoded in one turn of the event loop. */
const TURN_BYTES = 1024 * 1024;
/** A shorter record's value is assumed to be as large as its bytes, because measuring each would cost too much. */
const SHORT_BYTES = 1024;
/** The memory of a list or an object besides its content. */
const OBJECT_BYTES = 48;
const HEADER_BYTES = 150;

/** Replaces a value in the buffer that the steps cannot get. */
export class Unusable {
  constructor(
    readonly reason: string,
    readonly detail: string,
  ) {}
}
export const TOMBSTONE = new Unusable('tombstone', '');
/** A watermark marker: it moves time and belongs to no stream. */
export const MARKER = new Unusable('marker', '');
/** A record of a global source that another task sends to the dead letters, since exactly one task does. */
export const REPORTED_BY_OTHER_TASK = new Unusable('elsewhere', '');

/** An input that every task of the topology reads. */
export interface SharedInput {
  readonly task: number;
  /** Whether this task reports records that cannot be used; exactly one task does. */
  readonly isReporter: boolean;
}

/**
 * One partition of one source. It decodes the polled records and buffers them in log order until they are merged. Its position is
 * that of the next record to merge, whatever has been read ahead.
 *
 * Records of a log with watermark markers come from several tasks, out of order among each other. Their merge time is the one that
 * the markers before them allow. It is never too high, and depends only on the log.
 */
export class Input {
  private values: unknown[] = [];
  private origins: Origin[] = [];
  private times: number[] = [];
  /** The approximate memory of each record: its bytes and its value. */
  private sizes: number[] = [];
  /** Their sum. */
  private size = 0;
  /** Polled records that may not be decoded yet. */
  private unread: readonly RawRecord[] = [];
  private endsAfterUnread = false;
  /** The clock after a record, where it is tentative or has seen times far ahead: nearly nowhere, and then this is empty. */
  private clocks: (EventClock | undefined)[] = [];
  /** For a log with markers: their content up to each record. */
  private markersAfter: (WatermarkMarkers | undefined)[] = [];
  private markers: WatermarkMarkers | undefined;
  private head = 0;
  private readonly clock: EventClock;
  private mergedPosition: Position;
  private reachedEnd = false;
  private polling: Promise<void> | undefined;
  private failure: unknown;
  /** Records that the log no longer had, and the offset after them if known. */
  private skipped = 0;
  private skippedBefore: number | undefined = 0;
  /** Processing time of the last records. */
  private receivedAtMs: number;
  /** How long polls have brought nothing. */
  readonly silence: Silence;
  /** Whether the merge goes on without it. What follows depends on that, so the task decides it (see `EndOfRun`). */
  ended = false;
  /** The key of its position in checkpoints, and its name in warnings. */
  readonly key: string;

  constructor(
    readonly node: SourceNode,
    readonly partition: number,
    readonly reader: SourceReader,
    private readonly codec: WireDecoder<unknown>,
    private readonly now: () => number,
    position: Position,
    /** For a global source. */
    private readonly shared?: SharedInput,
  ) {
    this.key = positionKey(node.id, node.source, partition);
    this.mergedPosition = position;
    this.clock = { ...(position.clock ?? eventClock(position.mergeTimeMs)) };
    this.markers = position.watermarkMarkers;
    this.receivedAtMs = now();
    this.silence = new Silence(node.source.idleTimeout ?? Number.POSITIVE_INFINITY, this.receivedAtMs);
  }

  get buffered(): number {
    return this.values.length - this.head;
  }

  /** Nothing is buffered and nothing will follow. */
  get isExhausted(): boolean {
    return this.reachedEnd && this.buffered === 0;
  }

  /** Whether polls have brought no record for its idle timeout. An input that has not yet read what existed at the start is not idle. */
  get isIdle(): boolean {
    return this.silence.isLong && this.buffered === 0 && this.unread.length === 0 && !this.reader.isBehind;
  }

  get position(): Position {
    return this.mergedPosition;
  }

  /** The position for a checkpoint, with the reader's source state. */
  get stored(): Position {
    const { mergedPosition, reader } = this;
    const sourceState = reader.sourceStateOf?.(mergedPosition.offset) ?? mergedPosition.sourceState;
    return sourceState === undefined ? mergedPosition : { ...mergedPosition, sourceState };
  }

  /**
   * Starts a poll unless one is in flight, or `recordsMax` or `bytesMax` are buffered; resolves with the poll. A failed poll throws
   * at the next call, because polls run ahead of the loop.
   */
  fill(recordsMax: number, bytesMax = Number.POSITIVE_INFINITY): Promise<void> | undefined {
    if (this.failure !== undefined) throw this.failure;
    if (!this.polling && !this.ended && !this.reachedEnd && this.buffered < recordsMax && this.size < bytesMax) {
      this.polling = this.poll(recordsMax, bytesMax).then(
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

  /** A lower bound of the merge time of the next record to be read. */
  get nextTimeMs(): number {
    return this.node.source.hasWatermarkMarkers || isSettled(this.clock) ? this.clock.nowMs : BEFORE_ALL_MS;
  }

  // The head, for the merge: plain fields instead of an object per record.
  get headTimeMs(): number {
    return this.times[this.head] as number;
  }
  /** The clock at the head, if it is tentative or has seen times far ahead. */
  get headClock(): EventClock | undefined {
    return this.clocks[this.head];
  }
  get headValue(): unknown {
    return this.values[this.head];
  }
  get headOrigin(): Origin {
    return this.origins[this.head] as Origin;
  }
  get headBytes(): number {
    return this.sizes[this.head] as number;
  }

  /** Moves past the head. */
  shift(): void {
    const { head } = this;
    this.size -= this.headBytes;
    this.head += 1;
    if (this.head < this.values.length) return;
    this.mergedPosition = this.positionAfter(head);
    this.values = [];
    this.origins = [];
    this.times = [];
    this.sizes = [];
    this.clocks = [];
    this.markersAfter = [];
    this.head = 0;
  }

  /** Skipped records that lie before the position; counted once, with the checkpoint that passes them. */
  takeSkipped(): number {
    if (this.skipped === 0 || this.skippedBefore === undefined) return 0;
    if (this.mergedPosition.offset <= this.skippedBefore) return 0;
    const { skipped } = this;
    this.skipped = 0;
    return skipped;
  }

  /** A checkpoint has the position: earlier records are no longer needed. */
  release(): void {
    if (this.node.source.hasWatermarkMarkers) this.reader.release?.(this.mergedPosition.offset);
  }

  /** Sets the position after a round; a position object per record would be garbage. */
  settle(): void {
    if (this.head > 0) this.mergedPosition = this.positionAfter(this.head - 1);
  }

  async close(): Promise<void> {
    this.reachedEnd = true;
    await this.reader.close();
    await this.polling;
  }

  private positionAfter(index: number): Position {
    const clock = this.clocks[index];
    return {
      offset: (this.origins[index] as Origin).offset + 1,
      mergeTimeMs: clock && !isSettled(clock) ? BEFORE_ALL_MS : (this.times[index] as number),
      ...(clock ? { clock } : {}),
      ...(this.node.source.hasWatermarkMarkers ? { watermarkMarkers: this.markersAfter[index] } : {}),
    };
  }

  private notePassedOver(records: number): void {
    this.skipped += records;
    this.skippedBefore = undefined;
  }

  private async poll(recordsMax: number, bytesMax: number): Promise<void> {
    if (this.unread.length === 0) {
      const { records, ended, skipped = 0 } = await this.reader.poll(recordsMax, bytesMax - this.size);
      if (skipped > 0) this.notePassedOver(skipped);
      this.skippedBefore ??= records[0]?.offset;
      if (records.length > 0) {
        this.silence.end(this.now());
        await this.codec.prepare(records);
      } else this.silence.note(this.now());
      this.unread = records;
      this.endsAfterUnread = ended;
    }
    if (this.unread.length > 0) await this.decodeUnread(bytesMax);
    if (this.endsAfterUnread && this.unread.length === 0) this.reachedEnd = true;
  }

  /** Values may be many times as large as their bytes; what exceeds the limit stays undecoded. */
  private async decodeUnread(bytesMax: number): Promise<void> {
    this.compact();
    const { unread } = this;
    this.receivedAtMs = this.now();
    let read = 0;
    for (let inTurn = 0; read < unread.length && this.size < bytesMax; read++) {
      if (inTurn > TURN_BYTES) {
        await nextTurn();
        inTurn = 0;
      }
      const record = unread[read] as RawRecord;
      const bytes = bytesOf(record);
      inTurn += bytes;
      this.append(record, bytes);
    }
    this.unread = read < unread.length ? unread.slice(read) : NONE;
  }

  private append(record: RawRecord, bytes: number): void {
    if (this.node.source.hasWatermarkMarkers) {
      const marker = markerOf(record);
      if (marker) this.takeMarker(marker);
      this.markersAfter.push(this.markers);
      if (marker) {
        this.put(MARKER, record, bytes, this.clock.nowMs, this.clock.nowMs);
        return;
      }
    }
    const value = this.told(this.valueOf(record));
    const time = value instanceof Unusable ? value : this.eventTime(value, record);
    const eventTimeMs = typeof time === 'number' ? time : Number.NaN;
    const known = typeof time === 'number';
    const timeMs =
      known && !this.node.source.hasWatermarkMarkers ? observe(this.clock, eventTimeMs, JUMP_MS) : this.clock.nowMs;
    this.put(
      known || value instanceof Unusable ? value : this.told(time),
      record,
      bytes,
      timeMs,
      known ? eventTimeMs : within1970And9999(record.timestampMs),
    );
  }

  private put(value: unknown, record: RawRecord, bytes: number, timeMs: number, eventTimeMs: number): void {
    this.values.push(value);
    const origin: Origin = {
      topic: this.node.source.topic,
      partition: this.partition,
      offset: record.offset,
      eventTimeMs,
      receivedAtMs: this.receivedAtMs,
      key: record.key,
      raw: record.json === undefined ? record.value : null,
      json: record.json,
      headers: record.headers,
      order: 0,
    };
    this.origins.push(this.shared ? asReadBy(this.shared.task, origin) : origin);
    this.times.push(timeMs);
    const size = sizeOf(record, bytes, value);
    this.sizes.push(size);
    this.size += size;
    const doubt = this.node.source.hasWatermarkMarkers ? undefined : doubtOf(this.clock);
    if (doubt) this.clocks[this.values.length - 1] = doubt;
  }

  /** Time never decreases: a task that fell behind, or is no longer idle, writes late records. */
  private takeMarker(marker: WatermarkMarker): void {
    this.markers = withMarker(this.markers, marker);
    this.clock.nowMs = Math.max(this.clock.nowMs, lowestOf(this.markers));
  }

  private told(value: unknown): unknown {
    return this.shared?.isReporter !== false || !(value instanceof Unusable) || value === TOMBSTONE
      ? value
      : REPORTED_BY_OTHER_TASK;
  }

  private valueOf(record: RawRecord): unknown {
    const { refusal } = record;
    if (refusal) return new Unusable(refusal.reason, refusal.detail);
    if (this.node.source.upserts) return this.upsert(record);
    return isTombstone(record) ? TOMBSTONE : this.decode(record);
  }

  private upsert(record: RawRecord): Upsert<unknown> | Unusable {
    if (record.key === null) return new Unusable('empty-key', 'a record of a table needs a key');
    const value = isTombstone(record) ? null : this.decode(record);
    return value instanceof Unusable ? value : { key: Buffer.from(record.key).toString(), value };
  }

  private decode(record: RawRecord): unknown {
    try {
      return decodeRecord(this.codec, record);
    } catch (error) {
      const reason = (error as { reason?: unknown }).reason;
      return new Unusable(typeof reason === 'string' ? reason : 'malformed', messageOf(error));
    }
  }

  private eventTime(value: unknown, record: RawRecord): number | Unusable {
    const { hasWatermarkMarkers, eventTimeOf, aheadMax } = this.node.source;
    try {
      const given: unknown = hasWatermarkMarkers ? internalEventTime(record) : eventTimeOf(value, record.timestampMs);
      const timeMs = eventTimeIn(given);
      if (!Number.isFinite(timeMs)) return new Unusable('event-time', `event time is ${shownTime(given)}`);
      const wrong = hasWatermarkMarkers ? undefined : implausible(timeMs, record.timestampMs, aheadMax);
      return wrong === undefined ? timeMs : new Unusable('event-time', wrong);
    } catch (error) {
      // A callback that throws for an unexpected value.
      return new Unusable('event-time', `the event time callback threw: ${messageOf(error)}`);
    }
  }

  /** Drops merged records before appending, so that the arrays stay as long as the buffer. */
  private compact(): void {
    if (this.head === 0) return;
    this.settle();
    this.values = this.values.slice(this.head);
    this.origins = this.origins.slice(this.head);
    this.times = this.times.slice(this.head);
    this.sizes = this.sizes.slice(this.head);
    this.clocks = this.clocks.slice(this.head);
    this.markersAfter = this.markersAfter.slice(this.head);
    this.head = 0;
  }
}

const NONE: readonly RawRecord[] = [];

function sizeOf({ headers }: RawRecord, ownBytes: number, value: unknown): number {
  const bytes = headers === undefined ? ownBytes : ownBytes + headers.length * HEADER_BYTES;
  return bytes + (bytes <= SHORT_BYTES || value instanceof Unusable ? bytes : roughBytes(value, OBJECT_BYTES));
}

const isTombstone = (record: RawRecord): boolean => record.json === undefined && record.value === null;

/** The state of a clock besides its time, for a checkpoint; usually `undefined`, so that a record costs no object. */
const doubtOf = (clock: EventClock): EventClock | undefined =>
  isSettled(clock) && clock.ahead.length === 0 ? undefined : { ...clock };
