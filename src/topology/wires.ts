import { outputNames } from '../core/operator.js';
import type { StepNode, Topology, Wire } from './topology.js';

// How nodes and wires are called, in messages, descriptions and drawings alike.

/** The names of the outputs of every source, step and repartition; the only one of most has the empty name. */
export function outputsOf({ sources, steps, repartitions }: Topology): Map<string, readonly string[]> {
  const only = [''];
  return new Map([
    ...[...sources, ...repartitions].map(({ id }) => [id, only] as const),
    ...steps.map(({ id, shape }) => [id, outputNames(shape) ?? only] as const),
  ]);
}

/** The name of a step's input: `input` for the main one, the own name of a further input otherwise. */
export function inputName({ shape }: StepNode, index: number): string {
  if (index === 0) return 'input';
  return (shape.shape === 'stateful' ? shape.inputs[index - 1] : undefined) ?? `input ${index}`;
}

/** The name of a metrics sink of the topology, by its number. */
export const metricsName = (index: number): string => (index === 0 ? 'metrics' : `metrics-${index + 1}`);

/** `route.hubs` for the output `hubs` of a split, otherwise the id alone. */
export function wireName(topology: Topology, { from, output }: Wire): string {
  const name = outputsOf(topology).get(from)?.[output];
  return name ? `${from}.${name}` : from;
}
