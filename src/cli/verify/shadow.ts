import { days, MillraceError, type Sink } from '../../core/index.js';
import type { HashSinkOptions, TableSinkOptions, TopicSinkOptions, UpsertTableOptions } from '../../core/sinks.js';
import type { Topology } from '../../topology/index.js';
import { onlyRead } from '../positions.js';
import { namesOf, type Run, type Trial, type TrialNames } from './trial.js';

/** Hashes are looked at when both runs have ended: none may expire before. */
const HASHES_STAY = days(7);

type Shadow = (options: never, names: TrialNames, trial: Trial) => object;

const topicShadow = (options: TopicSinkOptions, names: TrialNames, { partitions }: Trial): TopicSinkOptions => ({
  ...options,
  topic: names.topic(options.topic),
  partitions: partitions[options.topic] ?? options.partitions,
  nameOrigin: true,
  create: true,
  drift: 'ignore',
});

/** How each kind of sink is led to a place of the run's own. */
const shadows: Readonly<Record<string, Shadow>> = {
  'kafka.sink': topicShadow,
  'kafka.upserts': topicShadow,
  'kafka.deadLetters': ({ topic }: TopicSinkOptions, names) => ({ topic: names.topic(topic) }),
  'redis.hash': (options: HashSinkOptions) => ({ ...options, ttl: HASHES_STAY }),
  'redis.upserts': (options: HashSinkOptions) => ({ ...options, ttl: HASHES_STAY }),
  'clickhouse.table': (options: TableSinkOptions, names) => ({
    ...options,
    table: names.table(options.table),
    ttl: undefined, // all rows are looked at when both runs have ended
    views: [],
  }),
  'clickhouse.upserts': (options: UpsertTableOptions, names) => ({ ...options, table: names.table(options.table) }),
};

/**
 * The same topology under another name and with outputs of its own: what it writes and keeps touches nothing of the
 * original. Metrics are left out, since they say how a run went and not what it did.
 *
 * @throws MillraceError `config` for a sink that cannot be led elsewhere.
 */
export function shadowOf(topology: Topology, trial: Trial, run: Run): Topology {
  const names = namesOf(trial.id, run);
  const shadow = <T>(id: string, sink: Sink<T>): Sink<T> => {
    const make = shadows[sink.kind];
    if (make === undefined) throw unknownKind(id, sink.kind);
    return Object.freeze({ ...sink, options: Object.freeze(make(sink.options as never, names, trial)) });
  };
  return Object.freeze({
    ...topology,
    name: names.topology,
    deadLetters: shadow('deadLetters', topology.deadLetters),
    metrics: undefined,
    sources: Object.freeze(
      topology.sources.map(({ id, source }) => {
        const topic = trial.inputs[id];
        if (topic === undefined) return Object.freeze({ id, source: onlyRead(source) });
        return Object.freeze({ id, source: Object.freeze({ ...source, connector: 'kafka', topic }) });
      }),
    ),
    sinks: Object.freeze(topology.sinks.map((node) => Object.freeze({ ...node, sink: shadow(node.id, node.sink) }))),
  });
}

const unknownKind = (id: string, kind: string): MillraceError =>
  new MillraceError('config', `a sink of kind ${kind} cannot be led to a place where it touches nothing`, {
    where: id,
    hint: `verify knows ${Object.keys(shadows).join(', ')}: verify the topology without this sink`,
  });
