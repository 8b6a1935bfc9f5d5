import { isolatedName } from '../../src/core/kind.js';
import type { WrittenEntry, WrittenOutput } from '../../src/core/written.js';
import type { ClickHouse } from './open.js';
import type { TableSinkOptions } from './table/options.js';

type Tables = Pick<ClickHouse, 'query' | 'command'>;
type Options = Pick<TableSinkOptions, 'table' | 'columns' | 'schema' | 'insertedAt'>;

/** Offsets of input records whose rows are read at a time. */
const OFFSETS = 20_000;

/** Distinct rows of a bag that are read at a time. */
const ROWS = 20_000;

/**
 * The rows of a table, all columns, as text with every bit of a number. They are identified by their record. If clocks decided
 * which record led to which row, or if rows of a key replace each other, they are a bag. A sink that promises to write each row
 * once is checked against the stored rows: no row may be stored twice.
 *
 * Memory: the rows of 20,000 input records, or 20,000 rows; for bags the rows' texts in ClickHouse.
 */
export const writtenTables = (tables: Tables, goWithFolder: boolean): WrittenOutput => ({
  async read({ options, deferred, changes }, isolation, ordered) {
    const { table } = options as Options;
    const byRecord = ordered && changes !== true;
    const from = `\`${table}_rows\`${deferred === undefined ? ' FINAL' : ''}`;
    const row = async () => {
      const names = (await columnsOf(tables, options as Options)).map((name) => `\`${name}\``);
      return `trimBoth(formatRow('JSONCompactEachRow', ${names.join(', ')}))`;
    };
    return {
      how: byRecord ? 'by record' : 'in any order',
      sorted: true,
      async *entries() {
        if (byRecord) yield* recordsOf(tables, from, await row(), `${isolatedName(isolation)}/${isolation.step}/`);
        else yield* bagOf(tables, from, await row());
      },
      show: async (at) => JSON.parse(at),
    };
  },
  async remove({ options }) {
    if (goWithFolder) return;
    const { table } = options as Options;
    await tables.command(`DROP VIEW IF EXISTS \`${table}\``);
    await tables.command(`DROP TABLE IF EXISTS \`${table}_rows\``);
  },
});

/** The columns that the sink wrote; with a schema, those of them that exist. */
async function columnsOf(tables: Tables, { table, columns, schema, insertedAt = '' }: Options): Promise<string[]> {
  if (schema === undefined) return Object.keys(columns);
  const found = await tables.query<{ name: string }>(
    `SELECT name FROM system.columns WHERE database = currentDatabase() AND table = ${quoted(`${table}_rows`)} ORDER BY position`,
  );
  return found.map(({ name }) => name).filter((name) => !name.startsWith('_') && name !== insertedAt);
}

/** `prefix`: what the run adds to the names of the partitions that rows come from. */
async function* recordsOf(
  tables: Tables,
  from: string,
  row: string,
  prefix: string,
): AsyncGenerator<WrittenEntry & { sort: string }> {
  const sources = await tables.query<{ source: string; first: number; last: number }>(
    `SELECT _source AS source, min(_offset) AS first, max(_offset) AS last FROM ${from} GROUP BY _source ORDER BY _source`,
  );
  for (const { source, first, last } of sources) {
    const behind = source.slice(prefix.length);
    for (let offset = first; offset <= last; offset += OFFSETS) {
      const rows = await tables.query<{ _at: string; _nth: string; _row: string }>(
        `SELECT toString(_offset) AS _at, toString(_n) AS _nth, ${row} AS _row FROM ${from}
         WHERE _source = ${quoted(source)} AND _offset >= ${offset} AND _offset < ${offset + OFFSETS} ORDER BY _offset, _n`,
      );
      for (const { _at: at, _nth: n, _row: text } of rows) {
        const sort = `${behind}/${at.padStart(20, '0')}#${n.padStart(20, '0')}`;
        yield { id: `${behind}/${at}#${n}`, sort, digest: text, at: text };
      }
    }
  }
}

async function* bagOf(tables: Tables, from: string, row: string): AsyncGenerator<WrittenEntry & { sort: string }> {
  let behind = '';
  for (;;) {
    const rows: readonly { _row: string; times: number }[] = await tables.query(
      `SELECT _row, toUInt32(count()) AS times FROM (SELECT ${row} AS _row FROM ${from}) ${behind}
       GROUP BY _row ORDER BY _row LIMIT ${ROWS}`,
    );
    for (const { _row: text, times } of rows)
      for (let n = 0; n < times; n++) yield { id: text, sort: text, digest: '', at: text };
    if (rows.length < ROWS) return;
    behind = `WHERE _row > ${quoted(rows.at(-1)?._row ?? '')}`;
  }
}

const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
