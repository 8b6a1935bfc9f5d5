import { formatDuration } from '../core/duration.js';
import type { Delivery } from '../core/kind.js';
import { outputNames, type Settings } from '../core/operator.js';
import { passedHeadersText } from '../core/passed-headers.js';
import type { Sink } from '../core/sink.js';
import { sinkAsWritten } from './delivery.js';
import { internalTopic, subtopologiesOf } from './subtopologies.js';
import type { StepNode, Topology } from './topology.js';
import { inputName, metricsName, wireName } from './wires.js';

/**
 * Describes a topology as text. The text of a topology is the same on every machine. Keep it as a golden file: its diff shows
 * the effect of a change.
 *
 * `deliveries` returns the guarantee of a sink on a profile (see `deliveryOf`); without it no guarantee is printed. It gets
 * each sink as a run writes it: `deferred` where the topology depends on a clock.
 *
 * @example
 * describe(flightDelays, deliveryOn('cluster'));
 */
export function describe(topology: Topology, deliveries?: (sink: Sink<unknown>) => Delivery): string {
  const written = (id: string, from: string, sink: Sink<never>): Node => {
    const guarantee = deliveries ? `  [${deliveries(sinkAsWritten(topology, id, sink as Sink<unknown>))}]` : '';
    return { head: ['sink', id, `<- ${from}`, sink.kind + guarantee], details: [settingsText(sink.settings)] };
  };
  const nodes: Node[] = [
    ...topology.sources.map(({ id, source: { kind, topic, schema, settings } }): Node => {
      const facts = { ...settings, topic, schema: schema?.subject, format: schema?.format };
      return { head: ['source', id, '', kind], details: [settingsText(facts)] };
    }),
    ...topology.steps.map((step): Node => {
      const head = ['step', step.id, inputsText(topology, step), `${step.kind} (${step.shape.shape})`] as const;
      return { head, details: [settingsText(step.settings), outputsText(step), stateText(step)] };
    }),
    ...topology.repartitions.map(({ id, input, schema, partitions, idleTimeout, headers }): Node => {
      const facts = {
        topic: internalTopic(topology.name, id),
        schema: schema?.subject,
        format: schema?.format,
        ...(partitions === undefined ? {} : { partitions }),
        ...(idleTimeout === undefined ? {} : { idleTimeout: formatDuration(idleTimeout) }),
        ...(headers === undefined ? {} : { headers: passedHeadersText(headers) }),
      };
      return {
        head: ['repartition', id, `<- ${wireName(topology, input)}`, 'to another key'],
        details: [settingsText(facts)],
      };
    }),
    ...topology.sinks.map(({ id, sink, input }) => written(id, wireName(topology, input), sink)),
    written('deadLetters', 'failed records', topology.deadLetters),
    ...topology.metrics.map((sink, i) => written(metricsName(i), 'every step', sink)),
  ];
  return `topology ${topology.name}\n\n${table(nodes)}\n${subtopologiesText(topology)}`;
}

/** Which nodes run together, where not all do. */
function subtopologiesText(topology: Topology): string {
  const subtopologies = subtopologiesOf(topology);
  if (subtopologies.length === 1) return '';
  const idsOf = (nodes: readonly { readonly id: string }[]) => nodes.map(({ id }) => id).join(' ');
  const rows = subtopologies.map(({ name, sources, steps, sinks }) => [
    `sub-topology  ${name}`,
    `reads ${idsOf(sources)}`,
    steps.length === 0 ? '' : `runs ${idsOf(steps)}`,
    sinks.length === 0 ? '' : `writes ${idsOf(sinks)}`,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  '));
  return `\n${lines.map((line) => `${line.trimEnd()}\n`).join('')}`;
}

interface Node {
  readonly head: readonly [what: string, id: string, inputs: string, kind: string];
  /** Lines below, each left out where it is empty. */
  readonly details: readonly string[];
}

function table(nodes: readonly Node[]): string {
  const widths = [0, 1, 2].map((column) => Math.max(...nodes.map(({ head }) => head[column]?.length ?? 0)));
  const line = ({ head }: Node) => head.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ');
  return nodes
    .flatMap((node) => [line(node), ...node.details.filter((text) => text !== '').map((text) => `          ${text}`)])
    .join('\n');
}

const inputsText = (topology: Topology, step: StepNode): string =>
  step.inputs
    .map((wire, index) => {
      const from = wireName(topology, wire) || '(missing)';
      return index === 0 ? `<- ${from}` : `${inputName(step, index)}: ${from}`;
    })
    .join(', ');

function outputsText({ shape }: StepNode): string {
  const names = outputNames(shape);
  return names === undefined ? '' : `outputs: ${names.join(' ')}`;
}

function stateText({ shape }: StepNode): string {
  if (shape.shape !== 'stateful') return '';
  const cells = Object.entries(shape.cells).map(([name, { kind, version }]) => `${name}:${kind}@${version}`);
  return `state: ${cells.join(' ') || 'none'}`;
}

/** Sorted by name: the order of an object's fields means nothing. */
const settingsText = (settings: Settings): string =>
  Object.entries(settings)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${/\s/.test(String(value)) ? `"${value}"` : value}`)
    .join(' ');
