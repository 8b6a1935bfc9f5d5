import type { Topology } from './topology.js';

/**
 * The part of a topology that these nodes need: themselves and all that leads to them. The rest is left out, under a name
 * of its own, so that it can be run beside the whole without touching its state.
 *
 * @example
 * upstreamOf(flightDelays, ['offline'], 'flight-delays.backfill');
 */
export function upstreamOf(topology: Topology, ids: readonly string[], name: string): Topology {
  const inputs = new Map<string, readonly string[]>([
    ...topology.steps.map(({ id, inputs: wires }) => [id, wires.map(({ from }) => from)] as const),
    ...[...topology.sinks, ...topology.repartitions].map(({ id, input }) => [id, [input.from]] as const),
  ]);
  const needed = new Set<string>();
  const need = (id: string): void => {
    if (needed.has(id)) return;
    needed.add(id);
    for (const from of inputs.get(id) ?? []) need(from);
  };
  for (const id of ids) need(id);
  const only = <T extends { readonly id: string }>(nodes: readonly T[]) =>
    Object.freeze(nodes.filter(({ id }) => needed.has(id)));
  return Object.freeze({
    ...topology,
    name,
    sources: only(topology.sources),
    steps: only(topology.steps),
    sinks: only(topology.sinks),
    repartitions: only(topology.repartitions),
  });
}

/** Ids of everything that records of a node may reach, itself not included. */
export function downstreamOf({ steps, sinks, repartitions }: Topology, id: string): ReadonlySet<string> {
  const reached = new Set([id]);
  // Steps stand in a topological order.
  for (const step of steps) if (step.inputs.some(({ from }) => reached.has(from))) reached.add(step.id);
  for (const { id: at, input } of [...repartitions, ...sinks]) if (reached.has(input.from)) reached.add(at);
  reached.delete(id);
  return reached;
}

/**
 * Ids of the sources that every task reads as a whole, and of the steps that are fed by nothing else: what they emit is the
 * same in every task.
 *
 * @example
 * globalNodes(shop); // Set { 'rates', 'rate' }
 */
export function globalNodes({ sources, steps }: Topology): ReadonlySet<string> {
  const global = new Set(sources.flatMap(({ id, source }) => (source.global ? [id] : [])));
  // Steps stand in a topological order.
  for (const { id, inputs } of steps) if (inputs.every(({ from }) => global.has(from))) global.add(id);
  return global;
}
