import type { WriteFiles } from '../../connectors/file/sink.js';
import type { Webhook } from '../../connectors/http/webhook.js';
import type { TableOptions as RowsOptions } from '../../connectors/postgres/index.js';
import type { Publishing } from '../../connectors/redis/publish-writer.js';
import type { Write } from '../../connectors/redis/structures.js';
import { days, MillraceError, type Sink } from '../core/index.js';
import type { HashSinkOptions, TableSinkOptions, TopicSinkOptions, UpsertTableOptions } from '../core/sink-options.js';
import { json } from '../schema/index.js';
import { onlyRead } from '../topics/positions.js';
import type { Topology } from '../topology/index.js';
import { namesOf, type Run, type Verification, type VerificationNames } from './verification.js';

/** Keys are looked at when both runs have ended: none may expire before. */
const KEYS_STAY = days(7);
/** Nor may entries be trimmed: where a stream is cut is up to the server. As much as Lua writes as a whole number. */
const ENTRIES_STAY = 2 ** 31 - 1;

type Shadow = (options: never, names: VerificationNames, verification: Verification, id: string) => object;

const topicShadow = (
  options: TopicSinkOptions,
  names: VerificationNames,
  { partitions }: Verification,
): TopicSinkOptions => ({
  ...options,
  topic: names.topic(options.topic),
  partitions: partitions[options.topic] ?? options.partitions,
  nameOrigin: true,
  create: true,
  onMismatch: 'ignore',
});

const keyShadow = (options: HashSinkOptions | Write) => ({ ...options, ttl: KEYS_STAY });

/** A topic for what is sent and kept by nobody. */
const sentShadow = (content: (value: unknown) => unknown, names: VerificationNames, id: string): TopicSinkOptions => ({
  topic: names.topic(id),
  schema: json<unknown>(),
  content,
  key: undefined,
  partitions: undefined,
  nameOrigin: true,
  create: true,
  onMismatch: 'ignore',
});

/** Sinks whose target keeps nothing to compare: what they would send goes to a topic in its place. */
const sent: Readonly<Record<string, Shadow>> = {
  'http.webhookSink': ({ body }: Webhook, names, _trial, id) => sentShadow(body, names, id),
  'redis.publishSink': ({ channel, message, unrepresentable }: Publishing, names, _trial, id) =>
    sentShadow(
      (value) => {
        const why = unrepresentable(value);
        return why === undefined
          ? { channel: channel(value), message: String(message(value)) }
          : { unrepresentable: why };
      },
      names,
      id,
    ),
};

export const isSent = (kind: string): boolean => Object.hasOwn(sent, kind);

/** How each kind of sink is led to a place of the run's own. */
const isolations: Readonly<Record<string, Shadow>> = {
  'kafka.sink': topicShadow,
  'kafka.upsertSink': topicShadow,
  'kafka.deadLetterSink': ({ topic }: TopicSinkOptions, names) => ({ topic: names.topic(topic) }),
  'redis.hashSink': keyShadow,
  'redis.upsertSink': keyShadow,
  'redis.stringSink': keyShadow,
  'redis.jsonSink': keyShadow,
  'redis.setSink': keyShadow,
  'redis.sortedSetSink': keyShadow,
  'redis.counterSink': keyShadow,
  'redis.streamSink': (options: Write) => ({ ...keyShadow(options), limit: ENTRIES_STAY, how: '=' }),
  'file.sink': (options: WriteFiles, names, _trial, id) => ({ ...options, folder: names.folder(id) }),
  's3.sink': (options: WriteFiles, names, _trial, id) => ({ ...options, folder: names.objects(options.folder, id) }),
  'postgres.tableSink': (options: RowsOptions, names) => ({ ...options, table: names.rows(options.table) }),
  'clickhouse.tableSink': (options: TableSinkOptions, names) => ({
    ...options,
    table: names.table(options.table),
    ttl: undefined, // all rows are looked at when both runs have ended
    views: [],
  }),
  'clickhouse.upsertSink': (options: UpsertTableOptions, names) => ({ ...options, table: names.table(options.table) }),
  ...sent,
};

/**
 * The same topology under another name and with outputs of its own: what it writes and keeps touches nothing of the
 * original. Metrics are left out, since they say how a run went and not what it did.
 *
 * @throws MillraceError `config` for a sink that cannot be led elsewhere.
 */
export function isolatedTopology(topology: Topology, verification: Verification, run: Run): Topology {
  const names = namesOf(verification.id, run);
  const isolated = <T>(id: string, sink: Sink<T>): Sink<T> => {
    const make = isolations[sink.kind];
    if (make === undefined) throw unknownKind(id, sink.kind);
    const options = Object.freeze(make(sink.options as never, names, verification, id));
    const kind = isSent(sink.kind) ? { connector: 'kafka', kind: 'kafka.sink' } : {};
    return Object.freeze({ ...sink, ...kind, options });
  };
  return Object.freeze({
    ...topology,
    name: names.topology,
    deadLetters: isolated('deadLetters', topology.deadLetters),
    metrics: undefined,
    sources: Object.freeze(
      topology.sources.map(({ id, source }) => {
        const topic = verification.inputs[id];
        if (topic === undefined) return Object.freeze({ id, source: onlyRead(source) });
        return Object.freeze({ id, source: Object.freeze({ ...source, connector: 'kafka', topic }) });
      }),
    ),
    sinks: Object.freeze(topology.sinks.map((node) => Object.freeze({ ...node, sink: isolated(node.id, node.sink) }))),
  });
}

const unknownKind = (id: string, kind: string): MillraceError =>
  new MillraceError('config', `a sink of kind ${kind} cannot be led to a place where it touches nothing`, {
    where: id,
    hint: `verify knows ${Object.keys(isolations).join(', ')}: verify the topology without this sink`,
  });
