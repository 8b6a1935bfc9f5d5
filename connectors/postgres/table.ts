import { MillraceError } from '../../src/core/errors.js';
import type { Run } from './connection.js';
import type { TableOptions } from './kinds.js';
import { quoted } from './names.js';

/** One row a task of a sink: how far what it wrote has come. */
export const FENCES = 'millrace_fences';

/** Any number: setting up is done by one process at a time, which `IF NOT EXISTS` alone does not see to. */
const SET_UP_LOCK = 7_255_126;

/**
 * Creates the table and that of the fences where they are missing, and compares what is there with what must be.
 *
 * @throws MillraceError `config` that says which columns are missing, and the statement that would mend it.
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

/** The statement that writes rows, given as one array a column. */
export function insertSql({ table, columns, key }: TableOptions): string {
  const names = Object.keys(columns).map(quoted);
  const arrays = Object.values(columns).map((type, i) => `$${i + 1}::${type}[]`);
  const insert = `INSERT INTO ${quoted(table)} (${names.join(', ')}) SELECT * FROM unnest(${arrays.join(', ')})`;
  if (key.length === 0) return insert;
  const target = `ON CONFLICT (${key.map(quoted).join(', ')})`;
  const others = Object.keys(columns).filter((name) => !key.includes(name));
  if (others.length === 0) return `${insert} ${target} DO NOTHING`;
  return `${insert} ${target} DO UPDATE SET ${others.map((name) => `${quoted(name)} = EXCLUDED.${quoted(name)}`).join(', ')}`;
}
