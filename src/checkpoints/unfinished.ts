import type { ConnectorDefinition, UnfinishedOutput } from '../core/connector.js';
import { connectorOf } from '../core/connector.js';
import { builtInConnectors, connectorsOf, unique } from '../profiles/built-in.js';
import { sinksOf } from '../runtime/index.js';
import type { Topology, Unfinished } from '../topology/index.js';

/** What committables say of outputs that are not finished, whichever connector they are of. */
export async function unfinishedBy(topology: Topology): Promise<(committable: unknown) => readonly UnfinishedOutput[]> {
  const connectors: readonly ConnectorDefinition[] = unique([
    ...connectorsOf(topology),
    ...(await builtInConnectors()),
  ]);
  return (committable) => connectors.flatMap((connector) => connector.unfinished?.(committable) ?? []);
}

/**
 * The unfinished output of sinks that the topology no longer has, or has with options that cannot continue it.
 */
export async function unfinishedIn(topology: Topology): Promise<Unfinished> {
  const unfinished = await unfinishedBy(topology);
  const sinks = new Map(sinksOf(topology).map(({ id, sink }) => [id, sink]));
  return (id, committable) => {
    const definition = sinks.get(id)?.definition;
    const goesOn = definition !== undefined && connectorOf(definition).unfinished !== undefined;
    return goesOn ? [] : unfinished(committable).map(({ what }) => what);
  };
}
