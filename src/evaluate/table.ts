import { existsSync } from 'node:fs';
import { rowsOfFile } from '../../connectors/file/rows-of-file.js';
import { MillraceError, messageOf } from '../core/errors.js';
import type { Schema } from '../core/schema.js';
import { type CsvColumn, csv, json, localRegistry, openCodec } from '../schema/index.js';
import { textsOf } from '../schema/plain/csv-cells.js';
import { delimiterOf, inferCsv } from '../schema/plain/infer-csv.js';

export type Row = Readonly<Record<string, unknown>>;

/** A file of rows, in file order. */
export interface Table {
  /** The first rows, by which columns are inferred. */
  readonly sample: readonly Row[];
  /** Reads the file from its start. Rows that cannot be read are given to `onUnreadable`. Memory: a batch of rows. */
  rows(onUnreadable: (reason: string) => void): AsyncIterable<readonly Row[]>;
}

const SAMPLE_ROWS = 1_000;

/**
 * Opens a file of CSV (with a header or without), NDJSON or Parquet; `.gz` and `.zst` are decompressed.
 *
 * @throws MillraceError `config` if the file does not exist or has no rows, `source` if it cannot be read
 * @example
 * const table = await openTable('flights.csv.gz');
 * for await (const rows of table.rows(() => {})) rows[0]?.delay;
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

type Rows = Table['rows'];

async function withSample(path: string, rows: Rows): Promise<Table> {
  const sample: Row[] = [];
  for await (const batch of rows(() => {})) {
    sample.push(...batch.slice(0, SAMPLE_ROWS - sample.length));
    if (sample.length >= SAMPLE_ROWS) break;
  }
  if (sample.length > 0) return { sample, rows };
  throw new MillraceError('config', 'the file has no rows that can be read', {
    where: path,
    hint: 'give a file of CSV (.csv, .tsv), Parquet (.parquet), or one JSON object a line; .gz and .zst are fine',
  });
}

const parquetRows = (path: string): Rows =>
  async function* () {
    for await (const lines of rowsOfFile(path, 0, { schema: undefined, header: false }))
      yield lines.map(({ json }) => json?.value() as Row);
  };

async function decoded(path: string, schema: Schema<unknown>, header = false): Promise<Rows> {
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
      yield rows;
    }
  };
}

async function csvRows(path: string): Promise<Rows> {
  const lines: string[] = [];
  const whole = csv({ columns: { row: 'text' } }) as Schema<unknown>;
  for await (const read of rowsOfFile(path, 0, { schema: whole, header: false })) {
    for (const { bytes } of read) lines.push(Buffer.from(bytes).toString());
    if (lines.length > SAMPLE_ROWS) break;
  }
  const delimiter = delimiterOf(lines[0] ?? '');
  const cells = lines.slice(0, SAMPLE_ROWS + 1).flatMap((line) => {
    try {
      return [textsOf(line, delimiter)];
    } catch {
      return []; // counted when the rows are read
    }
  });
  const { header, columns } = inferCsv(cells, path);
  // A cell that is empty further down is a missing value, and no reason to refuse the row.
  const optional = Object.entries(columns).map(([name, column]) => [name, `${column.replace('?', '')}?` as CsvColumn]);
  return decoded(path, csv({ columns: Object.fromEntries(optional), delimiter }) as Schema<unknown>, header);
}
