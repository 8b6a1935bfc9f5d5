/**
 * Where a record came from and when it happened. The source creates it once and every step passes it on unchanged, so a value at a
 * sink or in the dead letters can be traced to its raw bytes.
 */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  /** Kafka's offset; exact up to 2^53. */
  readonly offset: number;
  readonly eventTimeMs: number;
  /** The processing time at which the source read it, for measuring latency only. */
  readonly receivedAtMs: number;
  readonly key: Uint8Array | null;
  /** The bytes that it was decoded from; `null` for a tombstone, and if `json` holds them (see `rawOf`). */
  readonly raw: Uint8Array | null;
  /** Replaces `raw` if the source has the value and not its bytes. */
  readonly json?: LazyJson | undefined;
  readonly headers: Headers | undefined;
  /**
   * For a record of a global source: its position in the log. Every task reads the record and may derive something else from it, so
   * topic and partition name the reader, and results of different tasks have different identities.
   */
  readonly physical?: TopicPartition | undefined;
  /** Position in the merged order of its round, by which a step with several inputs interleaves them. */
  order: number;
}

/** The origin of a value that no record brought, such as a row of metrics. `topic` begins with `$`, which no real topic does. */
export const noRecord = (topic: string): Origin => ({
  topic,
  partition: 0,
  offset: 0,
  eventTimeMs: 0,
  receivedAtMs: 0,
  key: null,
  raw: null,
  headers: undefined,
  order: 0,
});

/**
 * The bytes that a record was decoded from, created at the first call if the source has none; `null` for a tombstone.
 *
 * @example
 * peek((payment, origin) => log(rawOf(origin)));
 */
export const rawOf = ({ raw, json }: Origin): Uint8Array | null => (json === undefined ? raw : json.bytes);

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The origin of a global source's record as one task reads it. Topic names contain no slash, so it is unique to the task. */
export const asReadBy = (task: number, origin: Origin): Origin => {
  const { topic, partition } = origin;
  return { ...origin, topic: `${topic}/${partition}`, partition: task, physical: { topic, partition } };
};

/** The origin with the record's position in the log, for those who want to find it there. */
export const inTheLog = (origin: Origin): Origin => (origin.physical ? { ...origin, ...origin.physical } : origin);

/** Where a record is: what an error says of it. */
export type RecordPlace = Pick<Origin, 'topic' | 'partition' | 'offset' | 'physical'>;

/** The place alone, for those who keep it longer than the record, whose bytes may be many. */
export const placeOf = ({ topic, partition, offset, physical }: Origin): RecordPlace => ({
  topic,
  partition,
  offset,
  physical,
});

/** The place of a record in the log, behind what is said of it. */
export function atPlace(place: RecordPlace | undefined): string {
  if (place === undefined) return '';
  const { topic, partition } = place.physical ?? place;
  return ` at ${topic}[${partition}]@${place.offset}`;
}

/** Headers of a record, in order; a name may be repeated. */
export type Headers = readonly (readonly [name: string, value: Uint8Array])[];

/**
 * The unit that flows through RxJS: parallel arrays, one origin per value. Every stream carries exactly one chunk per round (which
 * may be empty), so steps with several inputs can `zip` them.
 */
export interface Chunk<T = unknown> {
  readonly values: readonly T[];
  readonly origins: readonly Origin[];
  /** Where in the round the watermark rises; the same for every stream of the round. */
  readonly ticks: readonly Tick[];
}

/** A point of the merged order at which the watermark rises: no record with an earlier event time is expected after it. */
export interface Tick {
  readonly watermarkMs: number;
  /** The record that raised it. What steps emit for the tick comes from this record and directly follows it. */
  readonly origin: Origin;
  /** For a processing-time tick: the processing time. The watermark is unchanged, and the origin is not that of a record. */
  readonly clockMs?: number;
}

/** Before every event time, as a number that every encoding of a checkpoint keeps (unlike infinities). */
export const BEFORE_ALL_MS = -8.64e15;
/** After every event time: the watermark after all inputs of a bounded run have ended. */
export const AFTER_ALL_MS = 8.64e15;

/** A record as stored in a log: bytes, before decoding. */
export interface RawRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  /** `null` is a tombstone. */
  readonly value: Uint8Array | null;
  /** Replaces `value` if the source has the value and not its bytes, which are made on demand. */
  readonly json?: LazyJson | undefined;
  readonly headers?: Headers | undefined;
  /** Set if the source read past the record because it exceeds a limit: it becomes a dead letter. */
  readonly refusal?: { readonly reason: string; readonly detail: string } | undefined;
}

/**
 * The bytes of a record: key, value and headers.
 *
 * @example
 * bytesOf({ offset: 0, timestampMs: 0, key: Buffer.from('a'), value: Buffer.from('one') }); // 4
 */
export function bytesOf(record: OutgoingRecord & Pick<RawRecord, 'json'>): number {
  const { key, json, headers } = record;
  // Values are not taken out above: those of a source of columns would be made.
  let bytes = (key?.length ?? 0) + (json?.bytesMax ?? record.value?.length ?? 0);
  if (headers) for (const [name, content] of headers) bytes += name.length + content.length;
  return bytes;
}

/** A record of a source that has no bytes of its value; the getter `value` makes them. */
export class JsonRecord implements RawRecord {
  readonly key = null;

  constructor(
    readonly offset: number,
    readonly timestampMs: number,
    readonly json: LazyJson,
  ) {}

  get value(): Uint8Array {
    return this.json.bytes;
  }
}

/** A record to be written to a log. */
export interface OutgoingRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestampMs: number;
  readonly headers?: Headers | undefined;
}

/** What failed and why, with all that is needed to inspect it or to send it again. */
export interface DeadLetter {
  readonly reason: string;
  readonly detail: string;
  readonly step: string;
  readonly origin: Origin;
}

/**
 * A value without encoded bytes, from a source of values such as columns of a file. Decoders of JSON take the value; readers of
 * bytes, such as dead letters, have them made. Both give the same content.
 *
 * The data behind it must not change, and stays in memory as long as the value does.
 */
export interface LazyJson {
  /** The result of `JSON.parse` on the bytes, a new one at each call, so callers may change it. */
  value(): unknown;
  /** The JSON in UTF-8, as `JSON.stringify` writes the value; made on demand. */
  readonly bytes: Uint8Array;
  /** An upper bound of the number of bytes. */
  readonly bytesMax: number;
  /** An upper bound of the nesting depth of lists and objects. */
  readonly depthMax: number;
}

/** The content of a compacted topic for a key: the newest value, or `null` after its deletion (a tombstone). */
export interface Upsert<out T> {
  readonly key: string;
  readonly value: T | null;
}

/**
 * A correction as a value: the old and the new value of a key. Tables and results that may be revised are streams of changes; an
 * aggregate subtracts `before` and adds `after`.
 *
 * - new: `before` is `null`; revised: neither is; retracted or deleted: `after` is `null`.
 */
export interface Change<out T> {
  readonly key: string;
  readonly before: T | null;
  readonly after: T | null;
}

/** For sinks, which see values as `unknown`. */
export const keyOfChange = (change: unknown): string => (change as Change<unknown>).key;
export const afterOf = (change: unknown): unknown => (change as Change<unknown>).after;

/** One measurement of a step, or one of its counters, as the metrics sink gets it. */
export interface MetricRow {
  readonly topology: string;
  readonly step: string;
  readonly task: number;
  readonly name: string;
  /** The part of the records that it is of, such as `origin=JFK`; empty for all. */
  readonly slice: string;
  /** The version of the model that it is of; empty for what is of none. */
  readonly version: string;
  /** The event time that it refers to. */
  readonly eventTimeMs: number;
  readonly value: number;
}

/** Where a figure lies with a confidence of 95 %, if its rows are independent. */
export type ConfidenceInterval = readonly [low: number, high: number];

/** What a measurement is of, where that is not all records of a step, and how sure it is: pages show that, metrics sinks do not store it. */
export type Measured = Partial<Pick<MetricRow, 'slice' | 'version'>> & {
  readonly interval?: ConfidenceInterval | undefined;
  /**
   * How the figures of several tasks become one: as their mean by this weight, a positive number such as that of labels (1 by default), or
   * as their sum, for a count.
   */
  readonly weight?: number | 'sum' | undefined;
};
