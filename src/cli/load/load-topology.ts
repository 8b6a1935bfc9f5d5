import { isTopology, type Topology } from '../../topology/index.js';
import { loadExported, type Wanted } from './load-exported.js';

const topologies: Wanted<Topology> = {
  one: 'topology',
  many: 'topologies',
  is: isTopology,
  hint: "export const mine = topology('mine', { deadLetters }, (t) => { ... })",
};

/**
 * Loads the topology that a file exports; `FILE#name` chooses among several.
 *
 * @throws MillraceError `config` where the file cannot be loaded, or exports no topology, or more than one and no name
 * was given.
 * @example
 * const flightDelays = await loadTopology('topologies/flight-delays.ts');
 */
export const loadTopology = (reference: string): Promise<Topology> => loadExported(reference, topologies);
