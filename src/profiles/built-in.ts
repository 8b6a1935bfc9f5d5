import { readdir } from 'node:fs/promises';
import { type ConnectorDefinition, connectorOf, isConnectorDefinition } from '../core/connector.js';
import type { Topology } from '../topology/index.js';

/** Where the connectors that come with Millrace are: each folder in it has its definition. */
const FOLDER = new URL('../../connectors/', import.meta.url);
const FILE = import.meta.url.endsWith('.ts') ? 'definition.ts' : 'definition.js';

/** The connectors that come with Millrace, by name. */
export async function builtInConnectors(): Promise<readonly ConnectorDefinition[]> {
  const folders = (await readdir(FOLDER, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const modules = await Promise.all(folders.map(({ name }) => import(new URL(`${name}/${FILE}`, FOLDER).href)));
  return modules.flatMap((module) => Object.values(module as object).filter(isConnectorDefinition)).sort(byName);
}

const byName = (a: ConnectorDefinition, b: ConnectorDefinition): number => (a.name < b.name ? -1 : 1);

/** The connectors of a topology's sources, sinks and lookups. */
export function connectorsOf(topology: Topology): readonly ConnectorDefinition[] {
  const carriers = [
    ...topology.sources.map(({ source }) => source),
    ...topology.sinks.map(({ sink }) => sink),
    topology.deadLetters,
    ...topology.metrics,
    ...topology.steps.flatMap(({ shape }) => (shape.shape === 'batched' && shape.lookup ? [shape.lookup] : [])),
  ];
  return unique(carriers.flatMap(({ definition }) => (definition ? [connectorOf(definition)] : [])));
}

/** Of definitions of one name the first: a file may have loaded its own copy of one that comes with Millrace. */
export const unique = (definitions: readonly ConnectorDefinition[]): readonly ConnectorDefinition[] =>
  definitions.filter(({ name }, index) => definitions.findIndex((other) => other.name === name) === index);
