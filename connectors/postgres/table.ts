import { MillraceError } from '../../src/core/errors.js';
import type { Run } from './connection.js';
import type { TableOptions } from './kinds.js';
import { quoted } from './names.js';

/** The table with one row per task of a sink: the last record written. */
export const FENCES = 'millrace_fences';

/** Any number. Only one process at a time may set up tables; `IF NOT EXISTS` alone does not ensure that. */
const SET_UP_LOCK = 7_255_126;

/**
 * Creates the table and the table of fences if they are missing, and compares an existing table with its declaration.
 *
 * @throws MillraceError `config` that lists the missing columns and the statement that adds them.
 */
export async function setUpTable(run: Run, { table, columns, key }: TableOptions): Promise<void> {
  await run(`SELECT pg_advisory_xact_lock(${SET_UP_LOCK})`);
  await run(
    `CREATE TABLE IF NOT EXISTS ${FENCES} (
      topology text, step text, task integer, incarnation bigint NOT NULL, sources jsonb NOT NULL,
      PRIMARY KEY (topology, step, task))`,
  );
  const lines = Object.entries(columns).map(([name, type]) => `${quoted(name)} ${type}`);
  if (key.length > 0) lines.push(`PRIMARY KEY (${key.map(quoted).join(', ')})`);
  await run(`CREATE TABLE IF NOT EXISTS ${quoted(table)} (${lines.join(', ')})`);
  const found = await run<{ name: string }>(
    'SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped',
    [quoted(table)],
  );
  const there = new Set(found.map(({ name }) => name));
  const missing = Object.entries(columns).filter(([name]) => !there.has(name));
  if (missing.length === 0) return;
  const repairs = missing.map(([name, type]) => `ADD COLUMN ${quoted(name)} ${type}`).join(', ');
  throw new MillraceError('config', `table ${table} lacks ${missing.map(([name]) => name).join(', ')}`, {
    where: table,
    hint: `run \`ALTER TABLE ${quoted(table)} ${repairs}\`, or choose another table`,
    permanent: true,
  });
}

/** What columns that number themselves hold: their types are names for a declaration, of which there are no arrays. */
const NUMBERED: Readonly<Record<string, string>> = { smallserial: 'smallint', serial: 'integer', bigserial: 'bigint' };

/** Whether columns of a type number themselves, which they do only for rows that do not name them. They are never null. */
export const isNumbered = (type: string): boolean => Object.hasOwn(NUMBERED, type.toLowerCase());

/** The statement that writes rows, which are given as one array per column. Of the rows of a key it writes the last. */
export function insertSql({ table, columns, key }: TableOptions): string {
  const names = Object.keys(columns);
  const arrays = Object.values(columns).map((type, i) => `$${i + 1}::${NUMBERED[type.toLowerCase()] ?? type}[]`);
  const insert = `INSERT INTO ${quoted(table)} (${names.map(quoted).join(', ')})`;
  const rows = `unnest(${arrays.join(', ')})`;
  if (key.length === 0) return `${insert} SELECT * FROM ${rows}`;
  const target = `ON CONFLICT (${key.map(quoted).join(', ')})`;
  const others = names.filter((name) => !key.includes(name));
  if (others.length === 0) return `${insert} SELECT * FROM ${rows} ${target} DO NOTHING`;
  // One statement may update a row once. Only the server knows which keys are equal: those of 007 and 7 are.
  const cells = names.map((_, i) => `c${i + 1}`).join(', ');
  const keys = key.map((name) => `c${names.indexOf(name) + 1}`).join(', ');
  const newest =
    `SELECT DISTINCT ON (${keys}) ${cells} FROM ${rows} WITH ORDINALITY AS given(${cells}, place) ` +
    `ORDER BY ${keys}, place DESC`;
  const updates = others.map((name) => `${quoted(name)} = EXCLUDED.${quoted(name)}`).join(', ');
  return `${insert} ${newest} ${target} DO UPDATE SET ${updates}`;
}
