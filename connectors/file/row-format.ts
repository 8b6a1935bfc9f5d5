import type { Problem, Settings } from '../../src/core/operator.js';
import type { Schema } from '../../src/core/schema.js';
import type { CsvColumn } from '../../src/schema/index.js';

export type Compression = 'gzip' | 'zstd';

/** Rows as lines: the encoded value and a line end. */
export interface LinesFormat<T> {
  /** `ndjson()`, `json()`, `csv()` or `text()`. */
  readonly schema: Schema<T>;
  /** For CSV: begin each file with the column names. */
  readonly header?: boolean;
  /** None by default. */
  readonly compression?: Compression;
}

/** Rows as Parquet, compressed with Snappy. */
export interface ParquetFormat<T> {
  /** The columns in order with their types, as for `csv()`; with `?` a value may be missing. */
  readonly columns: { readonly [K in keyof T]?: CsvColumn };
}

/** The format of a file's rows. */
export type RowFormat<T> = LinesFormat<T> | ParquetFormat<T>;

export const isParquet = <T>(format: RowFormat<T>): format is ParquetFormat<T> => 'columns' in format;

/** The suffix of file names. */
export function endingOf(format: RowFormat<unknown>): string {
  if (isParquet(format)) return '.parquet';
  const { schema, compression } = format;
  const kind = schema.format === 'csv' ? '.csv' : schema.format === 'text' ? '.txt' : '.ndjson';
  return kind + (compression === undefined ? '' : compression === 'gzip' ? '.gz' : '.zst');
}

export function rowFormatSettings(format: RowFormat<unknown>): Settings {
  if (isParquet(format)) return { format: 'parquet' };
  return { format: format.schema.format };
}

const columnTypes = /^(text|number|integer|bigint|boolean|date)\??$/;

export function rowFormatProblems(format: RowFormat<unknown>): readonly Problem[] {
  if (!isParquet(format)) {
    const { schema, header } = format;
    if (schema.format !== 'json' && schema.format !== 'csv' && schema.format !== 'text') {
      return [{ message: `${schema.format} in lines`, hint: 'rows are lines: pass ndjson(), csv() or text()' }];
    }
    return header && schema.format !== 'csv'
      ? [{ message: `a header line in ${schema.format}`, hint: 'only csv() has one' }]
      : [];
  }
  const columns = Object.entries(format.columns);
  if (columns.length === 0) return [{ message: 'no columns', hint: "columns: { id: 'integer', at: 'date' }" }];
  return columns
    .filter(([, type]) => !columnTypes.test(String(type)))
    .map(([name, type]) => ({
      message: `column ${name} is "${type}"`,
      hint: 'one of text, number, integer, bigint, boolean, date; with a ? after it if values may be missing',
    }));
}

/** The column names of a CSV schema, as the first line of a file. */
export const csvHeader = ({ options }: Schema<unknown>): readonly string[] =>
  Object.keys((options as { readonly columns: Readonly<Record<string, CsvColumn>> }).columns);

export const csvDelimiter = ({ options }: Schema<unknown>): string =>
  (options as { readonly delimiter: string }).delimiter;
