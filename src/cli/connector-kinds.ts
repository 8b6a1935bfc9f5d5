import { kinds as clickhouse } from '../../connectors/clickhouse/index.js';
import { kinds as file } from '../../connectors/file/index.js';
import { kinds as http } from '../../connectors/http/index.js';
import { kinds as kafka } from '../../connectors/kafka/index.js';
import { kinds as postgres } from '../../connectors/postgres/index.js';
import { kinds as redis } from '../../connectors/redis/index.js';
import { kinds as s3 } from '../../connectors/s3/index.js';
import type { ConnectorKind, OptionSpec } from '../core/options.js';

/** Every kind of source, sink and lookup that comes with Millrace. */
export const connectorKinds: readonly ConnectorKind[] = [
  ...clickhouse,
  ...file,
  ...http,
  ...kafka,
  ...postgres,
  ...redis,
  ...s3,
];

export const connectorOf = (kind: string): string => kind.slice(0, kind.indexOf('.'));

/** What an option is where it is left out, as it reads in tables. */
export function defaultText({ need, type, fallback }: OptionSpec): string {
  if (need === 'required') return 'required';
  return fallback === undefined ? '' : String(type.show(fallback as never) ?? '');
}

/** A kind's options as a table for the guide. */
export function optionTable({ options }: ConnectorKind): string {
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
