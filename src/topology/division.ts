import type { Rescale } from '../core/state.js';
import type { StepNode, Topology } from './topology.js';
import { globalNodes } from './upstream.js';

/** Whether every task has the same in a cell: it is fed by a global table alone. */
export function isSameInAll(subtopology: Topology, step: StepNode, rescale: Rescale | undefined): boolean {
  const global = globalNodes(subtopology);
  if (global.has(step.id)) return true;
  if (rescale?.kind !== 'by-key' || rescale.input === undefined) return false;
  return global.has(step.inputs[rescale.input]?.from ?? '');
}

/** How a cell goes into another number of tasks, in words; `undefined` where it cannot. */
export function divisionOf(subtopology: Topology, step: StepNode, rescale: Rescale | undefined): string | undefined {
  if (isSameInAll(subtopology, step, rescale)) return 'the same in every task';
  return rescale && words[rescale.kind];
}

const words: Readonly<Record<Rescale['kind'], string>> = {
  'by-key': 'by key: each entry goes to the task of its key',
  merged: 'merged: each task gets one value of all',
  derived: 'derived from the other cells of the step',
  empty: 'only while it is empty',
};
