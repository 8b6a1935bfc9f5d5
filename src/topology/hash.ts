import { createHash } from 'node:crypto';
import type { Topology } from './topology.js';

/**
 * A digest of what a checkpoint depends on: ids, kinds, wires, topics and the versions of the state.
 *
 * Equal for equal structure on every machine. Settings are left out on purpose: another learning rate keeps the state
 * that was learnt. The algorithm is SHA-256 over a canonical JSON text; 16 of its hexadecimal digits are plenty to
 * tell the few versions of one topology apart.
 *
 * @example
 * topologyHash(flightDelays); // '9c1d03f5a2b47e60'
 */
export function topologyHash({ name, sources, steps, sinks, repartitions }: Topology): string {
  const structure = {
    name,
    sources: sources.map(({ id, source: { kind, topic, schema } }) => [id, kind, topic, schema.subject]),
    steps: steps.map(({ id, kind, shape, inputs }) => [
      id,
      kind,
      shape.shape,
      inputs.map(({ from, output }) => [from, output]),
      shape.shape === 'stateful' ? cellsOf(shape.cells) : [],
    ]),
    sinks: sinks.map(({ id, sink, input }) => [id, sink.kind, input.from, input.output]),
    // Left out where there are none: checkpoints know topologies without them by hashes without them.
    ...(repartitions.length === 0
      ? {}
      : { repartitions: repartitions.map(({ id, schema, input }) => [id, schema.subject, input.from, input.output]) }),
  };
  return createHash('sha256').update(JSON.stringify(structure)).digest('hex').slice(0, 16);
}

const cellsOf = (cells: Readonly<Record<string, { readonly kind: string; readonly version: number }>>) =>
  Object.entries(cells)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { kind, version }]) => [name, kind, version]);
