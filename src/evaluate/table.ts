import { existsSync } from 'node:fs';
import { type Reader, readerOf, rowMaker } from '../../connectors/file/parquet/parquet-row-maker.js';
import { parquetGroups } from '../../connectors/file/parquet/parquet-rows.js';
import { rowsOfFile } from '../../connectors/file/rows-of-file.js';
import { MillraceError, messageOf } from '../core/errors.js';
import type { Schema } from '../core/schema.js';
import { type CsvColumn, csv, json, localRegistry, openCodec } from '../schema/index.js';
import { textsOf } from '../schema/plain/csv-cells.js';
import { delimiterOf, inferCsv } from '../schema/plain/infer-csv.js';

export type Row = Readonly<Record<string, unknown>>;

/** Some rows of a file. A file of columns makes no object of a row that nobody asks for. */
export interface Rows {
  readonly size: number;
  /** Reads the cells of a column by the number of the row, from 0. */
  column(name: string): Reader;
  /** The column as an array, where it is one: its cells are not made objects one by one. What is not finite is missing. */
  numbers?(name: string): Float64Array | undefined;
  row(at: number): Row;
}

/** A file of rows, in file order. */
export interface Table {
  /** The first rows, by which columns are inferred. */
  readonly sample: readonly Row[];
  /** Reads the file from its start. Rows that cannot be read are given to `onUnreadable`. Memory: some rows, of Parquet two row groups. */
  read(onUnreadable: (reason: string) => void): AsyncIterable<Rows>;
}

const SAMPLE_ROWS = 1_000;

/**
 * Opens a file of CSV (with a header or without), NDJSON or Parquet; `.gz` and `.zst` are decompressed.
 *
 * @throws MillraceError `config` if the file does not exist or has no rows, `source` if it cannot be read
 * @example
 * const table = await openTable('flights.csv.gz');
 * for await (const rows of table.read(() => {})) rows.column('delay')(0);
 */
export async function openTable(path: string): Promise<Table> {
  if (!existsSync(path)) {
    throw new MillraceError('config', 'no such file', {
      where: path,
      hint: 'paths are relative to the current folder',
    });
  }
  if (path.endsWith('.parquet')) return withSample(path, parquetRows(path));
  return withSample(
    path,
    /\.(csv|tsv)(\.gz|\.zst)?$/.test(path) ? await csvRows(path) : await decoded(path, json<unknown>()),
  );
}

type Read = Table['read'];

async function withSample(path: string, read: Read): Promise<Table> {
  const sample: Row[] = [];
  for await (const rows of read(() => {})) {
    for (let at = 0; at < rows.size && sample.length < SAMPLE_ROWS; at++) sample.push(rows.row(at));
    if (sample.length >= SAMPLE_ROWS) break;
  }
  if (sample.length > 0) return { sample, read };
  throw noRows(path);
}

const noRows = (path: string): MillraceError =>
  new MillraceError('config', 'the file has no rows that can be read', {
    where: path,
    hint: 'give a file of CSV (.csv, .tsv), Parquet (.parquet), or one JSON object a line; .gz and .zst are fine',
  });

const parquetRows = (path: string): Read =>
  async function* () {
    for await (const group of parquetGroups(path)) {
      const columns = new Map(group.columns.map((column) => [column.name, column]));
      yield {
        size: group.rows,
        column(name) {
          const column = columns.get(name);
          return column ? readerOf(column) : nothing;
        },
        numbers(name) {
          const column = columns.get(name);
          return column?.kind === 'numbers' ? column.values : undefined;
        },
        row: rowMaker(group),
      };
    }
  };

const nothing: Reader = () => undefined;

/** A row without the column `constructor` has one of its prototype. */
export const ownCell = (row: Row | undefined, name: string): unknown =>
  row !== undefined && Object.hasOwn(row, name) ? row[name] : undefined;

const rowsOf = (rows: readonly Row[]): Rows => ({
  size: rows.length,
  column: (name) => (name in Object.prototype ? (at) => ownCell(rows[at], name) : (at) => rows[at]?.[name]),
  row: (at) => rows[at] as Row,
});

async function decoded(path: string, schema: Schema<unknown>, header = false): Promise<Read> {
  const codec = await openCodec(schema, localRegistry());
  return async function* (onUnreadable) {
    for await (const lines of rowsOfFile(path, 0, { schema, header })) {
      const rows: Row[] = [];
      for (const { bytes } of lines) {
        try {
          const row: unknown = codec.decode(bytes);
          if (typeof row === 'object' && row !== null && !Array.isArray(row)) rows.push(row as Row);
          else onUnreadable('a line is no JSON object');
        } catch (error) {
          onUnreadable(messageOf(error));
        }
      }
      yield rowsOf(rows);
    }
  };
}

async function csvRows(path: string): Promise<Read> {
  const lines: string[] = [];
  const whole = csv({ columns: { row: 'text' } }) as Schema<unknown>;
  for await (const read of rowsOfFile(path, 0, { schema: whole, header: false })) {
    for (const { bytes } of read) lines.push(Buffer.from(bytes).toString());
    if (lines.length > SAMPLE_ROWS) break;
  }
  if (lines.length === 0) throw noRows(path);
  const delimiter = delimiterOf(lines[0] ?? '');
  const cells = lines.slice(0, SAMPLE_ROWS + 1).flatMap((line) => {
    try {
      return [textsOf(line, delimiter)];
    } catch {
      return []; // counted when the rows are read
    }
  });
  const { header, columns, decimal, dates, nullLiteral } = inferCsv(cells, path, { delimiter });
  // A cell that is empty further down is a missing value, and no reason to refuse the row.
  const optional = Object.entries(columns).map(([name, column]) => [name, `${column.replace('?', '')}?` as CsvColumn]);
  const form = {
    delimiter,
    ...(decimal && { decimal }),
    ...(dates?.order && { dates: dates.order }),
    ...(nullLiteral && { nullLiteral }),
  };
  return decoded(path, csv({ columns: Object.fromEntries(optional), ...form }) as Schema<unknown>, header);
}
