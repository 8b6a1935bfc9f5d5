import { sourceOf } from '../../src/connect/make.js';
import type { Problem } from '../../src/core/operator.js';
import { type OptionsOf, resolve } from '../../src/core/options.js';
import type { Schema } from '../../src/core/schema.js';
import type { Source } from '../../src/core/source.js';
import { isLoopback } from '../../src/util/http-access.js';
import { definition } from './definition.js';
import type { Ingest } from './kinds.js';
import { ingestKind } from './kinds.js';

/** Options of `http.ingestSource`. */
export interface IngestOptions<T> extends Omit<OptionsOf<typeof ingestKind.options>, 'schema'> {
  readonly schema: Schema<T>;
  readonly eventTime?: (value: T) => number;
  readonly key?: (value: T) => string;
}

/**
 * Accepts records by `POST /` and stores them in a topic, which the topology reads. The status 202 says that they are durable:
 * synced in the embedded store, or written with `acks=all` to Kafka. A request is accepted as a whole or not at all; 429 with
 * `retry-after` asks the client to wait. A client that gets no answer sends again and may duplicate records: use `dedupe` with an
 * id.
 *
 * The body is one JSON value, an array of them, or NDJSON (`application/x-ndjson`), optionally compressed by gzip.
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
  return sourceOf(definition.kinds.ingestSource, options, {
    topic,
    schema: schema as Schema<unknown>,
    problems: moreProblems(driven),
    options: driven,
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
    ...(isOpen ? [{ message: `anyone who can reach ${host} may write`, hint: 'set tokenFrom' }] : []),
  ];
}
