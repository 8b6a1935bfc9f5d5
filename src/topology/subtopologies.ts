import { INTERNAL, type InternalSinkOptions } from '../core/internal.js';
import type { SchemaData } from '../core/schema.js';
import type { Sink } from '../core/sink.js';
import type { Source } from '../core/source.js';
import { getOrInsert } from '../util/maps.js';
import type { RepartitionNode, SinkNode, SourceNode, Topology } from './topology.js';
import { globalNodes } from './upstream.js';

/**
 * A topology cut at its repartitions: each sub-topology is a topology of its own, with tasks and checkpoints under its own name,
 * and what was a repartition is a sink of one sub-topology and a source of another. In the order in which records pass them.
 *
 * A topology without repartitions is its only sub-topology, unchanged. Otherwise the sub-topology with the first declared source has the
 * topology's name, and every other one that name, a slash and the id of its first input. Global sources, and steps fed by
 * nothing else, are in every sub-topology that reads them. Linear in the number of nodes.
 *
 * @example
 * subtopologiesOf(transfers).map(({ name }) => name); // ['transfers', 'transfers/by-account']
 */
export function subtopologiesOf(topology: Topology): readonly Topology[] {
  if (topology.repartitions.length === 0) return [topology];
  const { part, order } = cut(topology);
  return order.map((number) => {
    const shared = feeding(topology, (id) => part.get(id) === number);
    return subtopologyOf(topology, (id) => part.get(id) === number || shared.has(id));
  });
}

/** What is global goes into every sub-topology that reads it: the sources and steps in front of the nodes of a subtopology. */
function feeding(topology: Topology, isIn: (id: string) => boolean): ReadonlySet<string> {
  const global = globalNodes(topology);
  const needed = new Set<string>();
  for (const { id, inputs } of topology.steps.toReversed())
    if (isIn(id) || needed.has(id)) for (const { from } of inputs) if (global.has(from)) needed.add(from);
  return needed;
}

/**
 * Repartitions whose records could come back to where they went out: their two sides meet in a step, or the sub-topologies behind
 * them lead back to those before.
 */
export function circularRepartitions(topology: Topology): readonly RepartitionNode[] {
  const { part, next } = cut(topology);
  const leadsTo = (from: number, to: number, seen = new Set<number>()): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return [...(next.get(from) ?? [])].some((each) => leadsTo(each, to, seen));
  };
  return topology.repartitions.filter(({ id, input }) => {
    const [before, after] = [part.get(input.from), part.get(id)];
    return before !== undefined && after !== undefined && leadsTo(after, before);
  });
}

/** The topic between two subtopologies. */
export const internalTopic = (topology: string, repartition: string): string =>
  `${topology}.${repartition}.repartition`;

interface Cut {
  /** The part that each source, step, sink and repartition (as an input) is in. */
  readonly part: ReadonlyMap<string, number>;
  /** Parts that read what a part writes. */
  readonly next: ReadonlyMap<number, ReadonlySet<number>>;
  /** Parts in the order in which records pass them, as far as there is one. */
  readonly order: readonly number[];
}

/** Nodes that are connected without going through a repartition are in one part; what is global is in none. */
function cut(topology: Topology): Cut {
  const { sinks, repartitions } = topology;
  const global = globalNodes(topology);
  const sources = topology.sources.filter(({ id }) => !global.has(id));
  const steps = topology.steps.filter(({ id }) => !global.has(id));
  const parent = new Map<string, string>();
  const root = (id: string): string => {
    const above = parent.get(id);
    return above === undefined || above === id ? id : root(above);
  };
  const inputs = [...sources, ...repartitions].map(({ id }) => id);
  for (const id of inputs) parent.set(id, id);
  const wires = [
    ...steps.map(({ id, inputs: wired }) => ({ id, from: wired.map(({ from }) => from) })),
    ...sinks.map(({ id, input }) => ({ id, from: [input.from] })),
  ];
  for (const { id, from } of wires) {
    parent.set(id, id);
    for (const each of from) if (parent.has(each)) parent.set(root(id), root(each));
  }
  const numbers = new Map<string, number>();
  const part = new Map<string, number>();
  // Inputs first: parts are numbered in the order in which their first inputs were declared.
  for (const id of [...inputs, ...wires.map((wire) => wire.id)])
    part.set(
      id,
      getOrInsert(numbers, root(id), () => numbers.size),
    );
  const next = new Map<number, Set<number>>();
  for (const { id, input } of repartitions) {
    const from = part.get(input.from);
    if (from !== undefined) getOrInsert(next, from, () => new Set<number>()).add(part.get(id) as number);
  }
  return { part, next, order: inOrder(numbers.size, next) };
}

function inOrder(parts: number, next: ReadonlyMap<number, ReadonlySet<number>>): number[] {
  const order: number[] = [];
  const left = new Set(Array.from({ length: parts }, (_, number) => number));
  while (left.size > 0) {
    const fed = new Set([...left].flatMap((number) => [...(next.get(number) ?? [])]));
    const ready = [...left].filter((number) => !fed.has(number));
    if (ready.length === 0) break; // a circle: `check` says so
    for (const number of ready) left.delete(number);
    order.push(...ready);
  }
  return order;
}

function subtopologyOf(topology: Topology, isIn: (id: string) => boolean): Topology {
  const own = (nodes: readonly { readonly id: string }[]) => nodes.filter(({ id }) => isIn(id));
  const owned = topology.sources.filter(({ source }) => !source.global);
  const first = own([...owned, ...topology.repartitions])[0];
  const isFirst = first?.id === owned[0]?.id;
  const sources = [
    ...topology.sources.filter(({ id }) => isIn(id)),
    ...topology.repartitions.filter(({ id }) => isIn(id)).map((node) => sourceOf(topology.name, node)),
  ];
  const sinks = [
    ...topology.sinks.filter(({ id }) => isIn(id)),
    ...topology.repartitions.filter(({ input }) => isIn(input.from)).map((node) => sinkOf(topology.name, node)),
  ];
  return Object.freeze({
    name: isFirst || first === undefined ? topology.name : `${topology.name}/${first.id}`,
    deadLetters: topology.deadLetters,
    metrics: topology.metrics,
    alerts: topology.alerts,
    sources: Object.freeze(sources),
    steps: Object.freeze(topology.steps.filter(({ id }) => isIn(id))),
    sinks: Object.freeze(sinks),
    repartitions: Object.freeze([]),
  });
}

/** A schema that was left out is told of by `check`, which cuts the topology before. */
const subjectOf = (schema: SchemaData | undefined): string => schema?.subject ?? '';

function sourceOf(topology: string, { id, schema }: RepartitionNode): SourceNode {
  const topic = internalTopic(topology, id);
  const source: Source<unknown> = {
    connector: INTERNAL,
    kind: 'repartition',
    topic,
    schema,
    settings: Object.freeze({ topic, schema: subjectOf(schema) }),
    hasWatermarkMarkers: true,
    eventTimeOf: (_value, timestampMs) => timestampMs,
  };
  return Object.freeze({ id, source: Object.freeze(source) });
}

function sinkOf(
  topology: string,
  { id, input, key, schema, partitions, idleTimeout, headers }: RepartitionNode,
): SinkNode {
  const topic = internalTopic(topology, id);
  const options: InternalSinkOptions = { topic, schema, key, partitions, idleTimeout, headers };
  const sink: Sink<unknown> = {
    connector: INTERNAL,
    kind: 'repartition',
    settings: Object.freeze({ topic, schema: subjectOf(schema) }),
    options: Object.freeze(options),
  };
  return Object.freeze({ id, sink: Object.freeze(sink), input });
}
