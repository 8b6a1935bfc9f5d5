import { MillraceError } from '../core/errors.js';
import { isTopology, type Topology } from '../topology/index.js';
import { loadModule } from './load-module.js';

/**
 * Loads the topology that a file exports; `FILE#name` chooses among several.
 *
 * @throws MillraceError `config` where the file cannot be loaded, or exports no topology, or more than one and no name
 * was given.
 * @example
 * const flightDelays = await loadTopology('topologies/flight-delays.ts');
 */
export async function loadTopology(reference: string): Promise<Topology> {
  const { file, name } = parse(reference);
  const exported = Object.entries(await loadModule(file)).flatMap(([key, value]) =>
    isTopology(value) ? [[key, value] as const] : [],
  );
  const names = exported.map(([key]) => key).join(', ');
  if (exported.length === 0) {
    throw new MillraceError('config', 'exports no topology', {
      where: file,
      hint: "export const mine = topology('mine', { deadLetters }, (t) => { ... })",
    });
  }
  const chosen = name === undefined ? exported : exported.filter(([key, value]) => key === name || value.name === name);
  const [first, second] = chosen;
  if (first === undefined) {
    throw new MillraceError('config', `exports no topology "${name}"`, { where: file, hint: `it has: ${names}` });
  }
  if (second !== undefined) {
    throw new MillraceError('config', `exports ${exported.length} topologies: ${names}`, {
      where: file,
      hint: `choose one: ${file}#${first[0]}`,
    });
  }
  return first[1];
}

function parse(reference: string): { readonly file: string; readonly name: string | undefined } {
  const hash = reference.lastIndexOf('#');
  if (hash <= 0) return { file: reference, name: undefined };
  return { file: reference.slice(0, hash), name: reference.slice(hash + 1) };
}
