import type { Topology } from './topology.js';

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
