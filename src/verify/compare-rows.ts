import { quoted } from '../../connectors/postgres/names.js';
import type { VerificationProfile } from '../profiles/profiles.js';
import type { Places } from './compare-topics.js';
import { Differences } from './differences.js';

type Ask = VerificationProfile['postgres'];

/** Rows that are shown as differences at most. */
const ROWS_MAX = 10_000;

/**
 * Compares two sets of tables of Postgres, one table a task, as bags of rows, all columns of each. `columns`: only these.
 * Memory: what differs; the rows themselves are compared where they lie.
 */
export async function compareRows(
  ask: Ask,
  tables: Places,
  columns: readonly string[] | undefined,
): Promise<Differences> {
  const found = new Differences();
  const [reference, faulted] = await Promise.all([ownTables(ask, tables.reference), ownTables(ask, tables.faulted)]);
  const row = columns ? `json_build_array(${columns.map(quoted).join(', ')})::text` : 'row_to_json(t)::text';
  const rowsOf = (table: string | undefined, c: number, d: number) =>
    table === undefined ? [] : [`SELECT ${row} AS row, ${c} AS c, ${d} AS d FROM ${quoted(table)} AS t`];
  for (const task of new Set([...reference.keys(), ...faulted.keys()])) {
    const all = [...rowsOf(reference.get(task), 1, 0), ...rowsOf(faulted.get(task), 0, 1)].join(' UNION ALL ');
    const [counts] = await ask.query<{ rows: string }>(`SELECT coalesce(sum(c), 0) AS rows FROM (${all}) AS both_runs`);
    found.compared += Number(counts?.rows);
    const differing = await ask.query<{ row: string; reference: number; faulted: number }>(
      `SELECT row, sum(c)::int AS reference, sum(d)::int AS faulted FROM (${all}) AS both_runs
       GROUP BY row HAVING sum(c) <> sum(d) ORDER BY row LIMIT ${ROWS_MAX}`,
    );
    for (const { row: id, reference: c, faulted: d } of differing) {
      for (let n = d; n < c; n++) found.add({ kind: 'lost', id, reference: id });
      for (let n = c; n < d; n++) found.add({ kind: c > 0 ? 'duplicated' : 'unexpected', id, faulted: id });
    }
  }
  return found;
}

/** By task, with the schema where the sink says one. */
async function ownTables(ask: Ask, table: string): Promise<ReadonlyMap<string, string>> {
  const [name = '', schema] = table.split('.').reverse();
  const found = await ask.query<{ name: string }>(
    'SELECT tablename AS name FROM pg_tables WHERE schemaname = coalesce($1, current_schema()) AND tablename ~ $2',
    [schema ?? null, `^${name}_[0-9]+$`],
  );
  return new Map(
    found.map(({ name: own }) => [own.slice(name.length + 1), schema === undefined ? own : `${schema}.${own}`]),
  );
}

/** Takes away everything of a verification that lies in Postgres. */
export async function removeRows(ask: Ask, id: string): Promise<void> {
  const pattern = `${id.replaceAll('-', '\\_')}\\_%`;
  const tables = await ask.query<{ name: string }>(
    "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE tablename LIKE $1",
    [pattern],
  );
  for (const { name } of tables) await ask.query(`DROP TABLE IF EXISTS ${quoted(name)}`);
  const fences = await ask.query<{ there: boolean }>("SELECT to_regclass('millrace_fences') IS NOT NULL AS there");
  if (fences[0]?.there) await ask.query('DELETE FROM millrace_fences WHERE topology LIKE $1', [`${id}.%`]);
}
