import { type Duration, json, seconds } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';

// What the examples have in common: topics of JSON, and times in seconds.

/** A value that says when it happened: seconds since 1970. */
export interface Timed {
  readonly at: number;
}

export const deadLetters = kafka.deadLetterSink({ topic: 'dead' });

/** A topic as a source; `outOfOrdernessMax` says how late a record may come. */
export const topic = <T extends Timed>(name: string, options: { readonly outOfOrdernessMax?: Duration } = {}) =>
  kafka.source<T>({ topic: name, schema: json<T>(), eventTime: ({ at }) => seconds(at), ...options });

/** A compacted topic as a table: a record is `{ key, value }`, `value` is `null` for a tombstone. */
export const compacted = <T extends Timed>(name: string) =>
  kafka.tableSource<T>({ topic: name, schema: json<T>(), eventTime: ({ at }) => seconds(at) });

/** A topic as a sink. */
export const out = <T>(name = 'out') => kafka.sink<T>({ topic: name, schema: json<T>() });
