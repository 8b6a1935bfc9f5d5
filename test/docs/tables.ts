import { defaultText } from '../../src/cli/commands/connectors.js';
import { type SettingSpecs, variableOf } from '../../src/core/connector.js';
import type { KindDefinition } from '../../src/core/kind.js';

// Tables of documents.

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** The options of a kind of source, sink or lookup. */
export function optionTable({ options }: Pick<KindDefinition, 'options'>): string {
  const rows = Object.entries(options).map(([name, spec]) => [
    `\`${name}\``,
    spec.type.text,
    defaultText(spec),
    spec.doc,
  ]);
  return markdownTable(['option', 'takes', 'default', ''], rows);
}

/** Settings, by name and by variable of the environment. */
export function configTable(settings: SettingSpecs): string {
  const rows = Object.entries(settings).map(([name, { type, fallback, description, sealed }]) => {
    const shown = fallback === '' ? '' : `\`${fallback}\``;
    return `| ${sealed ? '' : `\`${name}\``} | \`${variableOf(name)}\` | ${type} | ${shown} | ${description} |`;
  });
  return ['| setting | environment | type | default | |', '|---|---|---|---|---|', ...rows].join('\n');
}
