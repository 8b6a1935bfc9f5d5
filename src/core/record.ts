/**
 * Where a record came from and when it happened. The source makes it once and every step passes it on unchanged, so
 * a value at a sink, or in the dead letters, can always be traced to the bytes that caused it.
 */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  /** Kafka's offset; exact up to 2^53. */
  readonly offset: number;
  readonly eventTimeMs: number;
  /** Processing time at which the source read it: for latency only, never for logic. */
  readonly receivedAtMs: number;
  readonly key: Uint8Array | null;
  /** The bytes it was decoded from; `null` for a tombstone, and where `json` has them (see `rawOf`). */
  readonly raw: Uint8Array | null;
  /** In the place of `raw` where the source had the value and not its bytes. */
  readonly json?: LazyJson | undefined;
  readonly headers: Headers | undefined;
  /**
   * Of a record of a global source: where it lies in the log. Each task reads it and may make something else of it, so
   * topic and partition name the reader, and the identity of what comes of it is no other task's.
   */
  readonly physical?: TopicPartition | undefined;
  /** Place in the merged order of its round: how a step with several inputs interleaves them. */
  order: number;
}

/**
 * The bytes that a record was decoded from, made where nobody has asked for them before; `null` for a tombstone.
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

/** The origin of a record of a global source, as one task's: topics have no slash in their names, so it is nobody else's. */
export const asReadBy = (task: number, origin: Origin): Origin => {
  const { topic, partition } = origin;
  return { ...origin, topic: `${topic}/${partition}`, partition: task, physical: { topic, partition } };
};

/** The origin as the log has it: for those who want to find the record there. */
export const inTheLog = (origin: Origin): Origin => (origin.physical ? { ...origin, ...origin.physical } : origin);

/** Headers of a record, in their order; a name may come several times. */
export type Headers = readonly (readonly [name: string, value: Uint8Array])[];

/**
 * The unit that moves through RxJS: parallel arrays, one origin a value. Every stream carries exactly one chunk a
 * round (an empty one if need be), which is what lets steps with several inputs `zip` them.
 */
export interface Chunk<T = unknown> {
  readonly values: readonly T[];
  readonly origins: readonly Origin[];
  /** Where in the round event time moved on; the same for every stream of the round. */
  readonly ticks: readonly Tick[];
}

/** A place in the merged order at which the watermark rises: no record with an earlier event time is expected after it. */
export interface Tick {
  readonly watermarkMs: number;
  /** The record that moved it. What steps emit because of the tick comes from this record, right after it. */
  readonly origin: Origin;
  /** Of a tick of the clock: the processing time; the watermark is where it was, and the origin is no record's. */
  readonly clockMs?: number;
}

/** Before every event time, as a number that survives every encoding of a checkpoint (unlike infinities). */
export const BEFORE_ALL_MS = -8.64e15;
/** After every event time, likewise: the watermark once inputs that are known to end have ended. */
export const AFTER_ALL_MS = 8.64e15;

/** A record as it lies in a log: bytes, before decoding. */
export interface RawRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  /** `null` is a tombstone. */
  readonly value: Uint8Array | null;
  /** What `value` says, where the source has that and makes the bytes when they are asked for. */
  readonly json?: LazyJson | undefined;
  readonly headers?: Headers | undefined;
}

/** A record of a source that has no bytes of its value: `value` makes them. */
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

/** A record on its way into a log. */
export interface OutgoingRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestampMs: number;
  readonly headers?: Headers | undefined;
}

/** What failed and why, with everything needed to look at it or to send it again. */
export interface DeadLetter {
  readonly reason: string;
  readonly detail: string;
  readonly step: string;
  readonly origin: Origin;
}

/**
 * A value whose bytes nobody has written: of a source that has values (columns of a file) where others have bytes. Who decodes JSON
 * takes the value; who wants the bytes, such as a dead letter, has them made. Both say the same, to the last digit.
 *
 * What it is made of must not change, and stays in memory as long as it does.
 */
export interface LazyJson {
  /** What `JSON.parse` makes of the bytes, anew each time: who changes it changes nothing else. */
  value(): unknown;
  /** The JSON in UTF-8, as `JSON.stringify` writes the value: made when it is asked for. */
  readonly bytes: Uint8Array;
  /** How many bytes there are at most, without counting them. */
  readonly bytesMax: number;
  /** How many lists and objects lie in each other at most. */
  readonly depthMax: number;
}

/** What a compacted topic says of a key: the newest value, or with `null` that there is none any more (a tombstone). */
export interface Upsert<out T> {
  readonly key: string;
  readonly value: T | null;
}

/**
 * A correction as a value: what was held to be true of a key, and what is held now. Tables and results that may still
 * be revised are streams of changes; an aggregate takes `before` back and adds `after`.
 *
 * - new: `before` is `null`; revised: both are there; retracted or deleted: `after` is `null`.
 */
export interface Change<out T> {
  readonly key: string;
  readonly before: T | null;
  readonly after: T | null;
}

/** For sinks, which see values as `unknown`. */
export const keyOfChange = (change: unknown): string => (change as Change<unknown>).key;
export const afterOf = (change: unknown): unknown => (change as Change<unknown>).after;

/** One measurement of a step, or one of its counters, as it reaches the metrics sink. */
export interface MetricRow {
  readonly topology: string;
  readonly step: string;
  readonly task: number;
  readonly name: string;
  /** Point of event time that it speaks of. */
  readonly eventTimeMs: number;
  readonly value: number;
}
