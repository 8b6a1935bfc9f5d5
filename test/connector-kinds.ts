import type { KindDefinition, SinkKind } from '../src/core/kind.js';
import type { Sink } from '../src/core/sink.js';
import { builtInConnectors } from '../src/profiles/built-in.js';

/** The connectors that come with Millrace, as the commands find them, and every kind of them. */
export const connectors = await builtInConnectors();
export const connectorKinds = connectors.flatMap(({ kinds }): KindDefinition[] => Object.values(kinds));

export const connectorOf = (kind: string): string => kind.slice(0, kind.indexOf('.'));

/** A sink that only says of which kind it is; `repartition` is what lies between subtopologies. */
export function sinkOfKind(kind: string, more: Partial<Sink<unknown>> = {}): Sink<unknown> {
  const definition = connectorKinds.find((each) => each.kind === kind) as KindDefinition<SinkKind> | undefined;
  const connector = kind === 'repartition' ? 'internal' : connectorOf(kind);
  return { connector, kind, definition, settings: {}, options: {}, ...more };
}
