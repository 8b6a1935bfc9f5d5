import { createHash } from 'node:crypto';
import type { StatefulShape } from '../core/operator.js';
import type { Settings } from '../core/options.js';
import { isDigest } from '../core/state.js';
import type { StepNode, Topology } from './topology.js';

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
    sources: sources.map(({ id, source: { kind, topic, schema } }) => [id, kind, topic, schema?.subject]),
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
      : { repartitions: repartitions.map(({ id, schema, input }) => [id, schema?.subject, input.from, input.output]) }),
  };
  return digestOf(structure);
}

const digestOf = (structure: unknown): string =>
  createHash('sha256').update(JSON.stringify(structure)).digest('hex').slice(0, 16);

const cellsOf = (cells: Readonly<Record<string, { readonly kind: string; readonly version: number }>>) =>
  Object.entries(cells)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { kind, version }]) => [name, kind, version]);

/** `merge` has several inputs, so it is stateful by its shape, but it has no cell. */
const keepsState = (step: StepNode): step is StepNode & { readonly shape: StatefulShape } =>
  step.shape.shape === 'stateful' && Object.keys(step.shape.cells).length > 0;

/**
 * What positions and state belong to, a line for each source and each stateful step with the versions of its cells. A run whose
 * lines differ from those of its checkpoint would skip records or begin with empty state; sinks and other steps may change freely.
 *
 * @example
 * layoutOf(flightDelays); // ['source departures', 'step delays (window): panes 1, timers 1']
 */
export function layoutOf({ sources, steps }: Topology): readonly string[] {
  const stateful = steps.filter(keepsState).map(({ id, kind, shape }) => {
    const cells = cellsOf(shape.cells).map(([name, , version]) => `${name} ${version}`);
    return `step ${id} (${kind}): ${cells.join(', ')}`;
  });
  return [...sources.map(({ id }) => `source ${id}`), ...stateful].sort();
}

/**
 * A digest of a layout, with the algorithm of `topologyHash`: versions with equal ones can share the tasks of a topology.
 *
 * @example
 * layoutHash(flightDelays); // '5be0d2f3c1a09947'
 */
export const layoutHash = (topology: Topology): string => digestOf(layoutOf(topology));

/**
 * The settings of the stateful steps, as their operators declare them for `describe`. They decide what a step makes of its state,
 * so the checkpoint keeps those that its state was made with.
 *
 * @example
 * stateSettingsOf(flightDelays).dedupe; // { retention: '24h', keysMax: 1000000 }
 */
export const stateSettingsOf = ({ steps }: Topology): Readonly<Record<string, Settings>> =>
  Object.fromEntries(steps.filter(keepsState).map(({ id, settings }) => [id, settings]));

/** Whether a task keeps anything between two records: then keys must stay in their partitions. */
export const hasState = ({ steps }: Topology): boolean => steps.some(keepsState);

/** Ids of the steps in both layouts whose state follows from settings that are others now: no run can read it. */
export function stepsOfOtherSettings(before: readonly string[], now: readonly string[]): readonly string[] {
  const stored = new Map(before.flatMap(digestsIn));
  return now.flatMap(digestsIn).flatMap(([step, digests]) => {
    const earlier = stored.get(step);
    const changed = [...digests].some(([cell, digest]) => earlier?.has(cell) && earlier.get(cell) !== digest);
    return changed ? [step] : [];
  });
}

/** From a line of a layout: the id of its step, and its cells whose versions are digests. */
function digestsIn(line: string): [string, Map<string, number>][] {
  const [, step, cells] = /^step (.+) \(.+\): (.+)$/.exec(line) ?? [];
  if (step === undefined || cells === undefined) return [];
  const versions = cells.split(', ').map((cell): [string, number] => {
    const [name = '', version] = cell.split(' ');
    return [name, Number(version)];
  });
  return [[step, new Map(versions.filter(([, version]) => isDigest(version)))]];
}

/** How a layout differs from an earlier one, a line each. */
export const layoutChanges = (before: readonly string[], now: readonly string[]): readonly string[] => [
  ...before.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
  ...now.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
];
