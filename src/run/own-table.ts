import { definition as clickhouse } from '../../connectors/clickhouse/definition.js';
import { MillraceError } from '../core/errors.js';
import type { OpenProfile } from '../profiles/profiles.js';

export interface OwnTable<Columns> {
  readonly table: string;
  /** The setting that names the table. */
  readonly where: string;
  readonly columns: Columns;
  /** Rows that are equal in these replace each other. */
  readonly orderBy: readonly (keyof Columns & string)[];
}

/** ClickHouse reads a time without letters. */
export const timeText = (iso: string): string => iso.replace('T', ' ').replace('Z', '');

/**
 * Writes rows of a run itself into a table of ClickHouse, which is created if it is missing. Read it with `FINAL`, as a row may be written
 * again. The engine is opened with the first row.
 *
 * @throws MillraceError `config` for a name that is no name of a table.
 */
export function ownTable<Columns extends Readonly<Record<string, string>>>(
  profile: Pick<OpenProfile, 'connect'>,
  { table, where, columns, orderBy }: OwnTable<Columns>,
): (rows: readonly Readonly<Record<keyof Columns, unknown>>[]) => Promise<void> {
  if (!/^[a-z_]\w*$/i.test(table)) {
    const hint = 'use letters, digits and underscores';
    throw new MillraceError('config', `'${table}' cannot be the name of a table`, { where, hint });
  }
  const names = Object.keys(columns);
  const typed = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  return async (rows) => {
    const { tables } = await profile.connect(clickhouse);
    await tables.command(
      `CREATE TABLE IF NOT EXISTS ${table} (${typed.join(', ')}) ENGINE = ReplacingMergeTree ORDER BY (${orderBy.join(', ')})`,
    );
    const lines = rows.map((row) => JSON.stringify(names.map((name) => row[name])));
    await tables.engine.insert(table, names, Buffer.from(lines.join('\n')));
  };
}
