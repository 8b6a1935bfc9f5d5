import type { ConnectorDefinition } from '../core/connector.js';
import type { KindDefinition } from '../core/kind.js';
import type { OptionSpec } from '../core/options.js';

/** Every kind of source, sink and lookup of some connectors. */
export const kindsOf = (connectors: readonly ConnectorDefinition[]): readonly KindDefinition[] =>
  connectors.flatMap(({ kinds }) => Object.values(kinds));

/** What an option is where it is left out, as it reads in tables. */
export function defaultText({ need, type, fallback }: OptionSpec): string {
  if (need === 'required') return 'required';
  return fallback === undefined ? '' : String(type.show(fallback as never) ?? '');
}

/** A kind's options as a table for the guide. */
export function optionTable({ options }: Pick<KindDefinition, 'options'>): string {
  const rows = Object.entries(options).map(([name, spec]) => [
    `\`${name}\``,
    spec.type.text,
    defaultText(spec),
    spec.doc,
  ]);
  return markdownTable(['option', 'takes', 'default', ''], rows);
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
