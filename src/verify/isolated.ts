import { definition as kafka } from '../../connectors/kafka/definition.js';
import type { TopicSinkOptions } from '../../connectors/kafka/topic-options.js';
import { MillraceError, type Sink } from '../core/index.js';
import { type Isolation, isolatedName, type SendingSink } from '../core/kind.js';
import { json } from '../schema/index.js';
import { onlyRead, readFrom } from '../topics/positions.js';
import type { Topology } from '../topology/index.js';
import type { Run, Verification } from './verification.js';

/** Whether nothing is kept of what a sink writes, so that there is nothing to compare but what it would send. */
export const isSent = ({ definition }: Sink<never>): boolean => 'sends' in (definition?.verify ?? {});

export const isolationOf = ({ id, partitions }: Verification, run: Run, step: string): Isolation => ({
  id,
  run,
  step,
  partitions,
});

/**
 * The same topology under another name and with its own outputs, so it changes no output and no state of the original. Metrics are
 * left out: they depend on the course of a run.
 *
 * @throws MillraceError `config` for a sink that cannot be redirected.
 */
export function isolatedTopology(topology: Topology, verification: Verification, run: Run): Topology {
  const isolated = <T>(id: string, sink: Sink<T>): Sink<T> => {
    const how = sink.definition?.verify;
    if (how === undefined) throw notVerifiable(id, sink.kind);
    const isolation = isolationOf(verification, run, id);
    if ('sends' in how) return sentTo(isolation, sink, how);
    return Object.freeze({ ...sink, options: Object.freeze(how.isolate(sink.options as never, isolation)) });
  };
  return Object.freeze({
    ...topology,
    name: isolatedName({ id: verification.id, run }),
    deadLetters: isolated('$dead-letters', topology.deadLetters),
    metrics: [],
    sources: Object.freeze(
      topology.sources.map(({ id, source }) => {
        const topic = verification.inputs[id];
        return Object.freeze({ id, source: topic === undefined ? onlyRead(source) : readFrom(topic, source) });
      }),
    ),
    sinks: Object.freeze(topology.sinks.map((node) => Object.freeze({ ...node, sink: isolated(node.id, node.sink) }))),
  });
}

/** What would be sent goes to a topic. */
function sentTo<T>(isolation: Isolation, sink: Sink<T>, { sends }: SendingSink): Sink<T> {
  const options: TopicSinkOptions = {
    topic: `${isolatedName(isolation)}.${isolation.step}`,
    schema: json<unknown>(),
    content: sends(sink.options as never),
    key: undefined,
    partitions: undefined,
    nameOrigin: true,
    create: true,
    onMismatch: 'ignore',
  };
  const definition = kafka.kinds.sink;
  return Object.freeze({ ...sink, definition, connector: kafka.name, kind: definition.kind, options });
}

const notVerifiable = (where: string, kind: string): MillraceError =>
  new MillraceError('config', `a sink of kind ${kind} cannot be isolated`, {
    where,
    hint: 'its connector does not define `verify`: verify the topology without this sink',
  });
