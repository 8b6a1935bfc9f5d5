import type { Checkpoint, Position, TaskId } from './checkpoint.js';
import type { Duration } from './duration.js';
import type { KindDefinition, SourceKind } from './kind.js';
import type { Problem, Settings } from './operator.js';
import type { RawRecord } from './record.js';
import type { Schema } from './schema.js';

declare const OUT: unique symbol;

/** An input as inert data: what its connector says of it, and its options. */
export interface Source<out T> {
  readonly connector: string;
  readonly kind: string;
  /** Says how it is opened; missing where the profile itself has a driver of that name, as for what lies between subtopologies. */
  readonly definition?: KindDefinition<SourceKind> | undefined;
  readonly topic: string;
  readonly schema: Schema<unknown>;
  readonly settings: Settings;
  /** What is wrong with its options: `check` tells of it. */
  readonly problems?: readonly Problem[] | undefined;
  /** The connector's own business. */
  readonly options?: unknown;
  /** Event time of a decoded value; `timestampMs` is the log's own. */
  readonly eventTimeOf: (value: unknown, timestampMs: number) => number;
  /**
   * How long (processing time) a task with several inputs waits for this one when it is quiet; for ever where it is
   * missing, which alone makes the merged order a function of the logs.
   */
  readonly idleTimeout?: Duration | undefined;
  /**
   * How far (event time) a record may trail the latest one before it: the watermark trails by as much. None by default:
   * whatever is out of order is late.
   */
  readonly outOfOrdernessMax?: Duration | undefined;
  /**
   * How far an event time may lie ahead of the log's timestamp of the record. Left out where timestamps are made by reading; then,
   * as always but with `none`, an event time that must be one in seconds is refused.
   */
  readonly aheadMax?: Duration | 'none' | undefined;
  /** Its values are `Upsert`s: the record's key as text, and the decoded value or, for a tombstone, `null`. */
  readonly upserts?: boolean | undefined;
  /** Its log carries marks of the tasks that write it: event time goes by them, not by the records. */
  readonly hasWatermarkMarkers?: boolean | undefined;
  /** Every task reads all partitions of it, instead of the one of its own number. */
  readonly global?: boolean | undefined;
  /**
   * Where to go on when the log has no more what comes next: at its oldest record, or at its end. Otherwise that is a
   * failure: records would be missing without a word.
   */
  readonly onDataLoss?: 'earliest' | 'latest' | undefined;
  /** Whether it reads what a sink of its connector writes, going by the sample of its `place`. Topics are compared by name. */
  readonly covers?: ((sample: string) => boolean) | undefined;
  readonly [OUT]?: (() => T) | undefined;
}

/** Reads one partition of a source for one task. */
export interface SourceReader {
  /** The next records in offset order; waits a little where there is nothing. `ended`: none will follow. */
  poll(recordsMax: number): Promise<{
    readonly records: readonly RawRecord[];
    readonly ended: boolean;
    /** How many records before these were passed over, since the log has them no more (see `onDataLoss`). */
    readonly skipped?: number;
  }>;
  /** A checkpoint stands at this offset: of a log that only this task reads, what lies before it may be deleted. */
  release?(offset: number): void;
  /** Whether it has not yet given all that the log held when it was opened: such an input is not quiet, but slow. */
  readonly isBehind?: boolean;
  /** Where the record to read next lies, for `open`; asked at each checkpoint, of offsets that rise. */
  sourceStateOf?(offset: number): unknown;
  close(): Promise<void>;
}

/** Opens sources of one kind. */
export interface SourceDriver {
  /** Creates what is missing; called once a run before any task opens. Commands that only look do not call it. */
  setUp?(source: Source<unknown>): Promise<void>;
  partitions(source: Source<unknown>): Promise<number>;
  open(source: Source<unknown>, at: SourceOpening): Promise<SourceReader>;
}

/** Where, and how far, a task reads one partition of a source. */
export interface SourceOpening {
  readonly task: TaskId;
  /** The task's own number, except for global sources. */
  readonly partition: number;
  /** Of the first record to read, or `EARLIEST`. */
  readonly offset: number;
  /** End at what the log holds now. */
  readonly bounded: boolean;
  /** The id under which checkpoints hold this source's position: a ledger that publishes positions finds their topics by it. */
  readonly step: string;
  /** What a reader said of this offset (`sourceStateOf`). */
  readonly sourceState?: unknown;
}

/**
 * Where a checkpoint holds the position in a partition of a source: under the id of its step, and, since a task has
 * several positions in a global source, the partition.
 *
 * @example
 * positionKey('rates', { global: true }, 2); // 'rates/2'
 */
export const positionKey = (step: string, { global }: Pick<Source<unknown>, 'global'>, partition: number): string =>
  global ? `${step}/${partition}` : step;

/** The step whose position lies under a key. */
export const stepOfPosition = (key: string): string => key.split('/', 1)[0] as string;

/** What a checkpoint says of a source, by the partition of its topic; one entry at most where it is not global. */
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

/** The partitions of a source that a task reads, of as many as its topic has. */
export const partitionsRead = ({ global }: Pick<Source<unknown>, 'global'>, task: number, partitions: number) =>
  global ? Array.from({ length: partitions }, (_, partition) => partition) : [task];

/**
 * A reader that does some things in its own way, and everything else as the one that it stands around.
 *
 * All members of the contract are named here and nowhere else: the compiler asks for one that comes later.
 *
 * @example
 * const counted = readerAround(reader, { close: () => reader.close().then(() => { open -= 1; }) });
 */
export function readerAround(reader: SourceReader, own: Partial<Omit<SourceReader, 'isBehind'>>): SourceReader {
  const all: Required<SourceReader> = {
    poll: (recordsMax) => reader.poll(recordsMax),
    release: (offset) => reader.release?.(offset),
    get isBehind() {
      return reader.isBehind ?? false;
    },
    sourceStateOf: (offset) => reader.sourceStateOf?.(offset),
    close: () => reader.close(),
  };
  return Object.assign(all, own);
}
