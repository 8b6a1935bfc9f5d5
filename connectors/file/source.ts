import { seconds } from '../../src/core/duration.js';
import type { Problem } from '../../src/core/operator.js';
import * as is from '../../src/core/option-types.js';
import { connectorKind, defaulted, type OptionsOf, required, resolve } from '../../src/core/options.js';
import type { Schema } from '../../src/core/schema.js';
import type { Source } from '../../src/core/source.js';
import { type ReadFiles, reading, sourceOf } from './read-options.js';

export const sourceKind = connectorKind({
  kind: 'file.source',
  role: 'source',
  doc: 'Reads all files that match a path, in the order of their names, then new files.',
  options: {
    path: required(
      is.text,
      'Path of the files; its last parts may contain `*`. `.parquet` files are read as Parquet, all others as lines; `.gz` and `.zst` are decompressed.',
    ),
    ...reading,
    header: defaulted(is.flag, false, 'CSV only: each file has a header line; its names must match the schema.'),
    partitions: defaulted(
      is.integer(1),
      1,
      'Number of tasks that share the files; a file is read by one task. It cannot be changed later.',
    ),
    every: defaulted(is.duration, seconds(1), 'Interval for listing new files.'),
  },
});

/** Options of `file.source`. */
export interface FileSourceOptions<T> extends Omit<OptionsOf<typeof sourceKind.options>, 'schema' | 'eventTime'> {
  readonly schema: Schema<T>;
  readonly eventTime: (value: T) => number;
}

/**
 * Reads all files that a path names, in the order of their names, each from its first row to its last; then those that
 * come. A file must be complete when its name appears: write it under a name that begins with a dot, and rename it.
 *
 * Offsets are numbers of rows, counted through all files of a task. The checkpoint also has the place: file, byte and row.
 * So a restart goes on at the very row, in files by tens of thousands.
 *
 * @example
 * t.source('orders', file.source({ path: 'data/orders/*.ndjson.gz', schema: ndjson<Order>(), eventTime: (o) => o.at }));
 */
export function source<T>(options: FileSourceOptions<T>): Source<T> {
  const { path, schema, changed, header, partitions, every } = resolve(sourceKind, options);
  const read: ReadFiles = { path, schema: schema as Schema<unknown>, changed, header, partitions, everyMs: every };
  return sourceOf(sourceKind, options, read, headerProblems(read));
}

const headerProblems = ({ schema: { format }, header }: ReadFiles): readonly Problem[] =>
  header && format !== 'csv' ? [{ message: `a header line in ${format}`, hint: 'only csv() has one' }] : [];
