import type { Isolation } from '../../src/core/kind.js';
import type { WrittenOutput } from '../../src/core/written.js';
import type { TableOptions } from './kinds.js';
import { quoted } from './names.js';
import type { Postgres } from './open.js';

type Ask = Pick<Postgres, 'query'>;

/** Rows per page. */
const ROWS = 10_000;

/**
 * The rows of the tables of a sink, one table per task, compared as a bag. If clocks decided which row of a key came last, only the
 * keys are compared. Memory: a page of rows.
 */
export const writtenRows = (ask: Ask): WrittenOutput => ({
  async read({ options }, _place, ordered) {
    const { table, key } = options as TableOptions;
    const keysOnly = !ordered && key.length > 0;
    const row = keysOnly ? `json_build_array(${key.map(quoted).join(', ')})::text` : 'row_to_json(t)::text';
    return {
      how: keysOnly ? 'keys only' : 'in any order',
      sorted: true,
      async *entries() {
        for (const [task, own] of await ownTables(ask, table)) {
          for await (const id of rowsOf(ask, own, row)) yield { id, sort: `${task}/${id}`, digest: '', at: id };
        }
      },
      show: async (at) => JSON.parse(at),
    };
  },
  async remove({ options }, isolation) {
    for (const own of (await ownTables(ask, (options as TableOptions).table)).values())
      await ask.query(`DROP TABLE IF EXISTS ${quoted(own)}`);
    await removeFences(ask, isolation);
  },
});

/** The rows in bytewise order, page by page. */
async function* rowsOf(ask: Ask, table: string, row: string): AsyncGenerator<string> {
  const rows = `SELECT ${row} COLLATE "C" AS _row FROM ${quoted(table)} AS t`;
  let last: string | null = null;
  for (;;) {
    const page: readonly { _row: string; times: number }[] = await ask.query(
      `SELECT _row, count(*)::int AS times FROM (${rows}) AS all_rows
       WHERE $1::text IS NULL OR _row > $1 COLLATE "C" GROUP BY _row ORDER BY _row LIMIT ${ROWS}`,
      [last],
    );
    for (const { _row: text, times } of page) for (let n = 0; n < times; n++) yield text;
    if (page.length < ROWS) return;
    last = page.at(-1)?._row ?? null;
  }
}

/** By task. Names are read as text, with the schema if the sink has one. */
async function ownTables(ask: Ask, table: string): Promise<ReadonlyMap<string, string>> {
  const [name = '', schema] = table.split('.').reverse();
  const found = await ask.query<{ name: string }>(
    'SELECT tablename AS name FROM pg_tables WHERE schemaname = coalesce($1, current_schema()) AND tablename ~ $2',
    [schema ?? null, `^${name}_[0-9]+$`],
  );
  const tables = found.map(({ name: own }): [task: string, table: string] => [
    own.slice(name.length + 1),
    schema === undefined ? own : `${schema}.${own}`,
  ]);
  return new Map(tables.sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function removeFences(ask: Ask, { id }: Isolation): Promise<void> {
  const fences = await ask.query<{ there: boolean }>("SELECT to_regclass('millrace_fences') IS NOT NULL AS there");
  if (fences[0]?.there) await ask.query('DELETE FROM millrace_fences WHERE topology LIKE $1', [`${id}.%`]);
}
