import type { StepNode, Topology, Wire } from './topology.js';
import { inputName, metricsName, outputsOf } from './wires.js';

/**
 * A topology as a Mermaid flowchart: sources and sinks outside, steps inside; steps that keep state have doubled
 * sides, further inputs are dashed and named. GitHub, GitLab and most editors draw it.
 *
 * @example
 * writeFileSync('topology.mmd', mermaid(flightDelays));
 */
export function mermaid(topology: Topology): string {
  const { sources, steps, sinks, repartitions, deadLetters, metrics } = topology;
  const outputs = outputsOf(topology);
  // Own identifiers: an id such as `end` is a keyword of Mermaid.
  const nodes = new Map([...sources, ...steps, ...repartitions].map(({ id }, index) => [id, `n${index}`]));
  const edge = ({ from, output }: Wire, to: string, side?: string): string[] => {
    const node = nodes.get(from);
    if (node === undefined) return [];
    if (side !== undefined) return [`${node} -. ${quoted(side)} .-> ${to}`];
    const name = outputs.get(from)?.[output];
    return [name ? `${node} -- ${quoted(name)} --> ${to}` : `${node} --> ${to}`];
  };
  const lines = [
    ...sources.map(
      ({ id, source }) =>
        `${nodes.get(id)}([${label(id, `topic ${source.topic}${source.global ? ', read whole by every task' : ''}`)}])`,
    ),
    `subgraph engine[${quoted(topology.name)}]`,
    ...steps.map((step) => `  ${nodes.get(step.id)}${stepShape(step)}`),
    ...repartitions.map(({ id }) => `  ${nodes.get(id)}>${label(id, 'repartition')}]`),
    'end',
    ...sinks.map(({ id, sink }, index) => `s${index}[(${label(id, targetText(sink.kind, sink.settings))})]`),
    `dead[(${label('dead letters', targetText(deadLetters.kind, deadLetters.settings))})]`,
    ...metrics.map(({ kind, settings }, i) => `${metricsName(i)}[(${label('metrics', targetText(kind, settings))})]`),
    ...steps.flatMap((step) =>
      step.inputs.flatMap((wire, index) =>
        edge(wire, nodes.get(step.id) ?? '', index === 0 ? undefined : inputName(step, index)),
      ),
    ),
    ...repartitions.flatMap(({ id, input }) => edge(input, nodes.get(id) ?? '')),
    ...sinks.flatMap(({ input }, index) => edge(input, `s${index}`)),
    `engine -. ${quoted('failed records')} .-> dead`,
    ...metrics.map((_, i) => `engine -. ${quoted('counters, metrics')} .-> ${metricsName(i)}`),
  ];
  return `flowchart LR\n${lines.map((line) => `  ${line}`).join('\n')}\n`;
}

function stepShape({ id, kind, shape }: StepNode): string {
  const text = id === kind ? quoted(id) : label(id, kind);
  return shape.shape === 'stateful' ? `[[${text}]]` : `[${text}]`;
}

function targetText(kind: string, { topic, table }: Readonly<Record<string, unknown>>): string {
  if (topic !== undefined) return `topic ${topic}`;
  return table === undefined ? kind : `table ${table}`;
}

const label = (title: string, detail: string): string => quoted(`${title}<br/>${detail}`);

const quoted = (text: string): string => `"${text.replaceAll('"', '#quot;')}"`;
