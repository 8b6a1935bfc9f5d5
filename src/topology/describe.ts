import type { Delivery, Sink } from '../core/io.js';
import type { Settings } from '../core/operator.js';
import type { StepNode, Topology } from './topology.js';
import { inputName, wireName } from './wires.js';

/**
 * A topology as text, the same for the same topology on every machine: made to be read, and to be kept as a golden
 * file whose diff shows what a change does.
 *
 * `deliveries` gives the guarantee of each sink on the profile in question (see `deliveryOf`); without it none is
 * printed, since it depends on the profile.
 *
 * @example
 * describe(flightDelays, ({ connector }) => deliveryOf(profile.sinks[connector].mode));
 */
export function describe(topology: Topology, deliveries?: (sink: Sink<unknown>) => Delivery): string {
  const written = (sink: Sink<never>) => {
    const guarantee = deliveries ? ` [${deliveries(sink as Sink<unknown>)}]` : '';
    return `${settingsText(sink.settings)}${guarantee}`.trim();
  };
  const rows: Row[] = [
    ...topology.sources.map(({ id, source: { kind, topic, schema, settings } }): Row => {
      const facts = { ...settings, topic, schema: schema.subject, format: schema.format };
      return ['source', id, '', kind, settingsText(facts)];
    }),
    ...topology.steps.map((step): Row => ['step', step.id, inputsText(topology, step), step.kind, stepText(step)]),
    ...topology.sinks.map(
      ({ id, sink, input }): Row => ['sink', id, `<- ${wireName(topology, input)}`, sink.kind, written(sink)],
    ),
    ['sink', 'deadLetters', '<- whatever fails', topology.deadLetters.kind, written(topology.deadLetters)],
  ];
  if (topology.metrics) {
    rows.push(['sink', 'metrics', '<- every step', topology.metrics.kind, written(topology.metrics)]);
  }
  return `topology ${topology.name}\n\n${table(rows)}\n`;
}

type Row = readonly [what: string, id: string, inputs: string, kind: string, rest: string];

function table(rows: readonly Row[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = [0, 1, 2, 3].map(width);
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const inputsText = (topology: Topology, step: StepNode): string =>
  step.inputs
    .map((wire, index) => {
      const from = wireName(topology, wire) || '(missing)';
      return index === 0 ? `<- ${from}` : `${inputName(step, index)}: ${from}`;
    })
    .join(', ');

function stepText({ shape, settings }: StepNode): string {
  const facts = [shape.shape, settingsText(settings)];
  if (shape.shape === 'split') facts.push(`outputs: ${shape.outputs.join(' ')}`);
  if (shape.shape === 'stateful') {
    const cells = Object.entries(shape.cells).map(([name, { kind, version }]) => `${name}:${kind}@${version}`);
    facts.push(`state: ${cells.join(' ') || 'none'}`);
  }
  return facts.filter((fact) => fact !== '').join('  ');
}

/** Sorted by name: the order in which an object was written is no part of what it says. */
const settingsText = (settings: Settings): string =>
  Object.entries(settings)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${/\s/.test(String(value)) ? `"${value}"` : value}`)
    .join(' ');
