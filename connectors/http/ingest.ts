import { type Duration, formatDuration } from '../../src/core/duration.js';
import type { Source } from '../../src/core/io.js';
import type { Problem } from '../../src/core/operator.js';
import type { Schema } from '../../src/core/schema.js';

export interface IngestOptions<T> {
  /** Where records lie once they are accepted; made where it is missing. */
  readonly topic: string;
  /** Of one record: `json()` or `jsonSchema({ framing: 'none' })`. What it refuses is refused at the door. */
  readonly schema: Schema<T>;
  /** Event time in milliseconds since 1970; when it was accepted by default. */
  readonly eventTime?: (value: T) => number;
  /** The record's key; it decides the partition. Without it partitions are dealt out. */
  readonly key?: (value: T) => string;
  /** Port to listen on. */
  readonly port: number;
  /** Address to listen on; `127.0.0.1` by default. */
  readonly host?: string;
  /** The variable that has the token which clients must bear; without it everybody may write. */
  readonly tokenFrom?: string;
  /** Partitions of the topic where it does not exist yet; 1 by default. */
  readonly partitions?: number;
  /** Records that are accepted and not yet durable, over all requests; 10,000 by default. More are answered with 429. */
  readonly pendingMax?: number;
  /** The longest request, in bytes; 8 MiB by default. */
  readonly bytesMax?: number;
  readonly disorderMax?: Duration;
  readonly idleMax?: Duration;
}

/** As the driver sees it. */
export interface Ingest {
  readonly topic: string;
  readonly schema: Schema<unknown>;
  readonly key: ((value: unknown) => string) | undefined;
  readonly port: number;
  readonly host: string;
  readonly tokenFrom: string | undefined;
  readonly partitions: number;
  readonly pendingMax: number;
  readonly bytesMax: number;
}

/**
 * Takes records by `POST /` and keeps them in a topic, from which the topology reads them. 202 says that they are durable
 * there: synced in the embedded store, or with `acks=all` on Kafka. A request is taken as a whole or not at all; 429 with
 * `retry-after` asks for patience. A client that heard no answer sends again, and so may double records: `dedupe` by an id.
 *
 * The body is one JSON value, an array of them, or lines of NDJSON (`application/x-ndjson`).
 *
 * @example
 * t.source('clicks', http.ingest({ topic: 'clicks', schema: json<Click>(), port: 8080, tokenFrom: 'CLICKS_TOKEN', key: (c) => c.user }));
 */
export function ingest<T>(options: IngestOptions<T>): Source<T> {
  const { topic, schema, eventTime, key, port, host = '127.0.0.1', tokenFrom, partitions = 1 } = options;
  const { pendingMax = 10_000, bytesMax = 8 * 2 ** 20, disorderMax, idleMax } = options;
  const driven: Ingest = {
    topic,
    schema: schema as Schema<unknown>,
    key: key as Ingest['key'],
    port,
    host,
    tokenFrom,
    partitions,
    pendingMax,
    bytesMax,
  };
  const given = eventTime as ((value: unknown) => number) | undefined;
  return Object.freeze({
    connector: 'http',
    kind: 'http.ingest',
    topic,
    schema: schema as Schema<unknown>,
    settings: Object.freeze({
      topic,
      host,
      port,
      ...(tokenFrom === undefined ? {} : { tokenFrom }),
      ...(idleMax === undefined ? {} : { idleMax: formatDuration(idleMax) }),
      ...(disorderMax === undefined ? {} : { disorderMax: formatDuration(disorderMax) }),
    }),
    problems: Object.freeze(problemsOf(driven)),
    options: Object.freeze(driven),
    idleMax,
    disorderMax,
    eventTimeOf: given ?? ((_value: unknown, timestampMs: number) => timestampMs),
  });
}

function problemsOf({ schema: { format, options }, port, partitions, host, tokenFrom }: Ingest): Problem[] {
  const framed = (options as { readonly framing?: string } | undefined)?.framing !== 'none';
  const isJson = format === 'json' || (format === 'json-schema' && !framed);
  const isOpen = tokenFrom === undefined && !/^(127\.|::1$|localhost$)/.test(host);
  return [
    ...(isJson ? [] : [{ message: `${format} in requests`, hint: "pass json() or jsonSchema({ framing: 'none' })" }]),
    ...(Number.isInteger(port) && port >= 0 && port <= 65_535
      ? []
      : [{ message: `port is ${port}`, hint: '0 to 65535' }]),
    ...(Number.isInteger(partitions) && partitions >= 1
      ? []
      : [{ message: `partitions is ${partitions}`, hint: 'from 1' }]),
    ...(isOpen ? [{ message: `everybody who reaches ${host} may write`, hint: 'give it tokenFrom' }] : []),
  ];
}
