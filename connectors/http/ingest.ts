import { aheadMax, timing } from '../../src/connect/source-options.js';
import type { Problem } from '../../src/core/operator.js';
import * as is from '../../src/core/option-types.js';
import {
  connectorKind,
  defaulted,
  type OptionsOf,
  optional,
  problemsOf,
  required,
  resolve,
  settingsOf,
} from '../../src/core/options.js';
import type { Schema } from '../../src/core/schema.js';
import type { Source } from '../../src/core/source.js';
import { isLoopback } from '../../src/util/http-access.js';

/** Paths. */
export interface Tls {
  readonly certificate: string;
  readonly key: string;
}

const isTls = (value: unknown): boolean => {
  const { certificate, key } = (value ?? {}) as Partial<Tls>;
  return is.text.accepts(certificate) && is.text.accepts(key);
};

export const ingestKind = connectorKind({
  kind: 'http.ingestSource',
  role: 'source',
  doc: 'Accepts records by POST, stores them in a topic and reads them from there.',
  options: {
    topic: required(is.text, 'The topic that stores accepted records; the first run creates it if missing.'),
    schema: required(
      is.schema,
      "Schema of a record: `json()` or `jsonSchema({ framing: 'none' })`. A request with an invalid record is refused.",
    ),
    port: required(is.integer(0, 65_535), 'The port to listen on.'),
    host: defaulted(is.text, '127.0.0.1', 'The address to listen on.'),
    tokenFrom: optional(is.text, 'Environment variable with the bearer token of clients; without it anyone may write.'),
    tls: optional(
      is.custom<Tls>('`{ certificate, key }`', isTls),
      'PEM files with the certificate chain and its key, read when the server starts (default: plain HTTP).',
    ),
    eventTime: optional(
      is.callback<(value: never) => number>('(value) => milliseconds'),
      'Event time in milliseconds since 1970 (default: when the record was accepted).',
    ),
    key: optional(
      is.callback<(value: never) => string>('(value) => string'),
      'The key of the record; it determines the partition (default: round robin).',
    ),
    partitions: defaulted(is.integer(1), 1, 'Partitions of the topic if it is created.'),
    pendingMax: defaulted(
      is.integer(1),
      10_000,
      'Maximum number of accepted records that are not yet durable, over all requests. Further requests get 429.',
    ),
    bytesMax: defaulted(
      is.integer(1),
      8 * 2 ** 20,
      'Maximum size of a request in bytes, before and after decompression.',
    ),
    ...timing,
    aheadMax,
  },
});

/** Options of `http.ingestSource`. */
export interface IngestOptions<T> extends Omit<OptionsOf<typeof ingestKind.options>, 'schema'> {
  readonly schema: Schema<T>;
  readonly eventTime?: (value: T) => number;
  readonly key?: (value: T) => string;
}

/** As the driver sees it. */
export interface Ingest {
  readonly topic: string;
  readonly schema: Schema<unknown>;
  readonly key: ((value: unknown) => string) | undefined;
  readonly port: number;
  readonly host: string;
  readonly tokenFrom: string | undefined;
  readonly tls: Tls | undefined;
  readonly partitions: number;
  readonly pendingMax: number;
  readonly bytesMax: number;
}

/**
 * Takes records by `POST /` and keeps them in a topic, from which the topology reads them. 202 says that they are durable
 * there: synced in the embedded store, or with `acks=all` on Kafka. A request is taken as a whole or not at all; 429 with
 * `retry-after` asks for patience. A client that heard no answer sends again, and so may double records: `dedupe` by an id.
 *
 * The body is one JSON value, an array of them, or lines of NDJSON (`application/x-ndjson`), as it is or compressed by gzip.
 *
 * @example
 * t.source('clicks', http.ingestSource({ topic: 'clicks', schema: json<Click>(), port: 8080, tokenFrom: 'CLICKS_TOKEN', key: (c) => c.user }));
 */
export function ingestSource<T>(options: IngestOptions<T>): Source<T> {
  const resolved = resolve(ingestKind, options);
  const { topic, schema, eventTime, key, port, host, tokenFrom, tls, partitions, pendingMax, bytesMax } = resolved;
  const driven: Ingest = {
    topic,
    schema: schema as Schema<unknown>,
    key: key as Ingest['key'],
    port,
    host,
    tokenFrom,
    tls,
    partitions,
    pendingMax,
    bytesMax,
  };
  const given = eventTime as ((value: unknown) => number) | undefined;
  return Object.freeze({
    connector: 'http',
    kind: ingestKind.kind,
    topic,
    schema: schema as Schema<unknown>,
    settings: settingsOf(ingestKind, options),
    problems: Object.freeze([...problemsOf(ingestKind, options), ...moreProblems(driven)]),
    options: Object.freeze(driven),
    idleTimeout: resolved.idleTimeout,
    outOfOrdernessMax: resolved.outOfOrdernessMax,
    aheadMax: resolved.aheadMax,
    eventTimeOf: given ?? ((_value: unknown, timestampMs: number) => timestampMs),
  });
}

function moreProblems({ schema: { format, options }, host, tokenFrom }: Ingest): Problem[] {
  const framed = (options as { readonly framing?: string } | undefined)?.framing !== 'none';
  const isJson = format === 'json' || (format === 'json-schema' && !framed);
  const isOpen = tokenFrom === undefined && !isLoopback(host);
  return [
    ...(isJson ? [] : [{ message: `${format} in requests`, hint: "pass json() or jsonSchema({ framing: 'none' })" }]),
    ...(isOpen ? [{ message: `everyone who can reach ${host} may write`, hint: 'give it tokenFrom' }] : []),
  ];
}
