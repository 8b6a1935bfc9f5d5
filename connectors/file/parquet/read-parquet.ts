import { MillraceError, messageOf } from '../../../src/core/errors.js';

/** Runs SQL in a ClickHouse engine that can read the file (chdb in this process) and returns the rows. */
export type Query = <T>(sql: string) => Promise<readonly T[]>;

/** The columns and rows of a Parquet file to read. */
export interface ReadParquetOptions<C extends string> {
  /** The path of the file for the engine. */
  readonly path: string;
  readonly query: Query;
  /** The columns: a name in the batch, and an SQL expression over the file's columns. */
  readonly columns: Readonly<Record<C, string>>;
  /** The first row, counted from 0 in file order. */
  readonly offset?: number;
  /** The largest number of rows. */
  readonly limit?: number;
  /** Rows per batch, which is the memory. */
  readonly batchRows?: number;
}

/** Consecutive rows of the file, each column an array: `columns.x[i]` belongs to row `firstRow + i`. */
export interface ColumnBatch<C extends string> {
  readonly firstRow: number;
  readonly rows: number;
  readonly columns: Readonly<Record<C, readonly unknown[]>>;
}

/**
 * Reads columns of a Parquet file in file order, batch by batch.
 *
 * The order is that of the engine's `_row_number`, so it is the same in every run; NULL stays `null`. Memory: one batch.
 *
 * @throws MillraceError `source` if the file cannot be read, with the engine's message.
 * @example
 * for await (const { columns } of readParquet({ path, query, columns: { delay: 'delay', day: 'toDate(date)' } })) {
 *   columns.delay[0];
 * }
 */
export async function* readParquet<C extends string>(options: ReadParquetOptions<C>): AsyncGenerator<ColumnBatch<C>> {
  const { path, query, columns, offset = 0, limit = Number.POSITIVE_INFINITY, batchRows = 100_000 } = options;
  const names = Object.keys(columns) as C[];
  const end = offset + limit;
  for (let firstRow = offset; firstRow < end; firstRow += batchRows) {
    const sql = batchSql(path, columns, firstRow, Math.min(end, firstRow + batchRows));
    const batch = await answer<C>(query, sql, path);
    const rows = batch[ROWS];
    if (rows > 0) yield { firstRow, rows, columns: pick(batch, names) };
    if (rows < Math.min(batchRows, end - firstRow)) return;
  }
}

const ROWS = '__rows';
type Answer<C extends string> = { readonly [K in C]: readonly unknown[] } & { readonly [ROWS]: number };

/**
 * One row of arrays, so a batch is parsed as six values instead of a hundred thousand objects. Values are wrapped in tuples because
 * `groupArray` skips NULLs, and sorted afterwards because its order is not defined.
 */
function batchSql(path: string, columns: Readonly<Record<string, string>>, from: number, to: number): string {
  const names = Object.keys(columns);
  const fields = ['_row_number', ...Object.values(columns)].join(', ');
  const outputs = names.map((name, i) => `arrayMap(r -> r.${i + 2}, sorted) AS ${identifier(name)}`);
  return `
    SELECT ${[...outputs, `toUInt32(length(sorted)) AS ${ROWS}`].join(', ')}
    FROM (
      SELECT arraySort(r -> r.1, groupArray((${fields}))) AS sorted
      FROM file(${literal(path)}, Parquet)
      WHERE _row_number >= ${from} AND _row_number < ${to}
    )`;
}

async function answer<C extends string>(query: Query, sql: string, path: string): Promise<Answer<C>> {
  let rows: readonly Answer<C>[];
  try {
    rows = await query<Answer<C>>(sql);
  } catch (cause) {
    throw new MillraceError('source', `cannot read the Parquet file: ${messageOf(cause)}`, {
      where: path,
      hint: 'check that it exists, is Parquet and has these columns',
      cause,
    });
  }
  const [row] = rows;
  if (row !== undefined) return row;
  throw new MillraceError('source', 'the engine returned no row for an aggregate', { where: path });
}

function pick<C extends string>(batch: Answer<C>, names: readonly C[]): Record<C, readonly unknown[]> {
  const columns = {} as Record<C, readonly unknown[]>;
  for (const name of names) columns[name] = batch[name];
  return columns;
}

const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const identifier = (name: string): string => `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
