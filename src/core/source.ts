import type { Checkpoint, Position, TaskId } from './checkpoint.js';
import type { Duration } from './duration.js';
import type { KindDefinition, SourceKind } from './kind.js';
import type { Problem, Settings } from './operator.js';
import type { RawRecord } from './record.js';
import type { Schema } from './schema.js';

declare const OUT: unique symbol;

/** An input as inert data: its definition and its options. */
export interface Source<out T> {
  readonly connector: string;
  readonly kind: string;
  /** How it is opened. Missing if the profile itself has a driver of that name, as for topics between sub-topologies. */
  readonly definition?: KindDefinition<SourceKind> | undefined;
  readonly topic: string;
  readonly schema: Schema<unknown>;
  readonly settings: Settings;
  /** Mistakes in its options, for `check`. */
  readonly problems?: readonly Problem[] | undefined;
  /** The options of the connector. */
  readonly options?: unknown;
  /** The event time of a decoded value; `timestampMs` is the log's timestamp. */
  readonly eventTimeOf: (value: unknown, timestampMs: number) => number;
  /**
   * How long (processing time) a task with several inputs waits for this one when it has no record. If missing, it waits for ever,
   * and the merged order depends on the logs alone.
   */
  readonly idleTimeout?: Duration | undefined;
  /**
   * How far (event time) a record may lie behind the latest one before it; the watermark trails by as much. None by default: a
   * record out of order is late.
   */
  readonly outOfOrdernessMax?: Duration | undefined;
  /**
   * How far an event time may lie ahead of the record's timestamp in the log. Missing if reading assigns the timestamps. Unless it
   * is `none`, an event time that must be in seconds is refused as well.
   */
  readonly aheadMax?: Duration | 'none' | undefined;
  /** Its values are `Upsert`s: the record's key as text, and the decoded value or, for a tombstone, `null`. */
  readonly upserts?: boolean | undefined;
  /** Its log contains watermark markers of the tasks that write it; they define event time instead of the records. */
  readonly hasWatermarkMarkers?: boolean | undefined;
  /** Every task reads all its partitions, not only the one with the task's number. */
  readonly global?: boolean | undefined;
  /**
   * Where to continue if the log no longer has the next offset: at its oldest record or at its end. By default this is an error,
   * because records would be lost silently.
   */
  readonly onDataLoss?: 'earliest' | 'latest' | undefined;
  /** Whether it reads what a sink of its connector writes, given the sample of the sink's `target`. Topics are compared by name. */
  readonly covers?: ((sample: string) => boolean) | undefined;
  readonly [OUT]?: (() => T) | undefined;
}

/** What one poll of a source has returned. */
export interface Polled {
  readonly records: readonly RawRecord[];
  /** No records will follow. */
  readonly ended: boolean;
  /** Records skipped before these because the log no longer has them (see `onDataLoss`). */
  readonly skipped?: number;
}

/** Reads one partition of a source for one task. */
export interface SourceReader {
  /**
   * Resolves with the next records in offset order; waits a little if there are none. The record that
   * reaches `bytesMax` (keys, values and headers) is the last one, so a record of any size is returned.
   */
  poll(recordsMax: number, bytesMax?: number): Promise<Polled>;
  /** A checkpoint has this offset: a log that only this task reads may delete what lies before it. */
  release?(offset: number): void;
  /** Whether it has not yet returned all that the log held when it was opened: such an input is not idle. */
  readonly isBehind?: boolean;
  /** The offset after the last record of the log, whether it may be read yet or not, as of the last poll; unknown if missing. */
  readonly logEnd?: number | undefined;
  /** Begins to ask for `logEnd`, since a run that is paused does not poll. A failure leaves it as it is. Missing where it is always new. */
  refreshLogEnd?(): void;
  /** Describes the position of this offset in the source, for `open`. Called at each checkpoint, with increasing offsets. */
  sourceStateOf?(offset: number): unknown;
  close(): Promise<void>;
}

/** Opens sources of one kind. */
export interface SourceDriver {
  /** Creates what is missing; called once per run before any task opens. Read-only commands do not call it. */
  setUp?(source: Source<unknown>): Promise<void>;
  partitions(source: Source<unknown>): Promise<number>;
  /** Whether partitions may be added while a run reads. The run then counts them twice a minute. */
  readonly partitionsGrow?: boolean;
  open(source: Source<unknown>, at: SourceOpening): Promise<SourceReader>;
}

/** The range of one partition that a task reads. */
export interface SourceOpening {
  readonly task: TaskId;
  /** The task's own number, except for global sources. */
  readonly partition: number;
  /** The offset of the first record to read, or `EARLIEST`. */
  readonly offset: number;
  /** Whether to end at the current end of the log. */
  readonly bounded: boolean;
  /**
   * The step id under which checkpoints store this source's position. A ledger that publishes positions finds their topics by it.
   */
  readonly step: string;
  /** What the reader returned for this offset (`sourceStateOf`). */
  readonly sourceState?: unknown;
}

/**
 * The key of a position in a checkpoint: the id of the step, for a global source with the partition, since a task reads all of
 * them.
 *
 * @example
 * positionKey('rates', { global: true }, 2); // 'rates/2'
 */
export const positionKey = (step: string, { global }: Pick<Source<unknown>, 'global'>, partition: number): string =>
  global ? `${step}/${partition}` : step;

/** The step of a position's key. */
export const stepOfPosition = (key: string): string => key.split('/', 1)[0] as string;

/** The positions of a source in a checkpoint, by the partition of its topic; at most one if the source is not global. */
export function positionsIn(
  { positions }: Pick<Checkpoint, 'positions'>,
  step: string,
  source: Pick<Source<unknown>, 'global'>,
  task: number,
): ReadonlyMap<number, Position> {
  if (!source.global) {
    const own = positions[step];
    return new Map(own === undefined ? [] : [[task, own]]);
  }
  const prefix = `${step}/`;
  const found = Object.entries(positions).flatMap(([key, position]) =>
    key.startsWith(prefix) ? [[Number(key.slice(prefix.length)), position] as const] : [],
  );
  return new Map(found.sort(([a], [b]) => a - b));
}

/** The partitions of a source that a task reads, out of those of its topic. */
export const partitionsRead = ({ global }: Pick<Source<unknown>, 'global'>, task: number, partitions: number) =>
  global ? Array.from({ length: partitions }, (_, partition) => partition) : [task];

/**
 * Returns the items from `from` that one poll may return: at most `recordsMax`, and none after the one that reaches `bytesMax`.
 *
 * @example
 * const records = sliceOfPoll(this.buffer, this.head, recordsMax, bytesMax, bytesOf);
 */
export function sliceOfPoll<T>(
  items: readonly T[],
  from: number,
  recordsMax: number,
  bytesMax: number,
  bytesOf: (item: T) => number,
): T[] {
  const most = Math.min(items.length, from + recordsMax);
  if (bytesMax === Number.POSITIVE_INFINITY) return items.slice(from, most);
  let end = from;
  for (let bytes = 0; end < most && bytes < bytesMax; end++) bytes += bytesOf(items[end] as T);
  return items.slice(from, end);
}

/**
 * Wraps a reader: members in `own` replace those of the reader.
 *
 * This is the only place that lists all members of the contract, so the compiler reports a new member here.
 *
 * @example
 * const counted = readerAround(reader, { close: () => reader.close().then(() => { open -= 1; }) });
 */
export function readerAround(
  reader: SourceReader,
  own: Partial<Omit<SourceReader, 'isBehind' | 'logEnd'>>,
): SourceReader {
  // `Required` takes `undefined` out of `logEnd` where exactOptionalPropertyTypes is off, as in projects of others.
  const all: Omit<Required<SourceReader>, 'logEnd'> & { readonly logEnd: SourceReader['logEnd'] } = {
    poll: (recordsMax, bytesMax) => reader.poll(recordsMax, bytesMax),
    release: (offset) => reader.release?.(offset),
    get isBehind() {
      return reader.isBehind ?? false;
    },
    get logEnd() {
      return reader.logEnd;
    },
    refreshLogEnd: () => reader.refreshLogEnd?.(),
    sourceStateOf: (offset) => reader.sourceStateOf?.(offset),
    close: () => reader.close(),
  };
  return Object.assign(all, own);
}
