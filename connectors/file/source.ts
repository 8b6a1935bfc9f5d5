import { sourceOf } from '../../src/connect/make.js';
import type { KindDefinition, SourceKind } from '../../src/core/kind.js';
import type { Problem } from '../../src/core/operator.js';
import { type OptionsOf, resolve } from '../../src/core/options.js';
import type { Schema } from '../../src/core/schema.js';
import type { Source } from '../../src/core/source.js';
import { definition } from './definition.js';
import { type ReadFiles, sourceKind } from './kinds.js';
import { readBy } from './read-options.js';

/** Options of `file.source`. */
export interface FileSourceOptions<T> extends Omit<OptionsOf<typeof sourceKind.options>, 'schema' | 'eventTime'> {
  readonly schema: Schema<T>;
  readonly eventTime: (value: T) => number;
}

/**
 * Reads all files that a path matches, in the order of their names, each from its first row to its last; then new files. A file
 * must be complete when its name appears: write it under a name that begins with a dot, and rename it.
 *
 * Offsets are row numbers, counted through all files of a task. The checkpoint also stores the position: file, byte and row. So a
 * restart continues at the exact row, also among tens of thousands of files.
 *
 * @example
 * t.source('orders', file.source({ path: 'data/orders/*.ndjson.gz', schema: ndjson<Order>(), eventTime: (o) => o.at }));
 */
export function source<T>(options: FileSourceOptions<T>): Source<T> {
  return filesSource(definition.kinds.source, options);
}

/** Also for other storage with files. */
export function filesSource<T>(kind: KindDefinition<SourceKind>, options: FileSourceOptions<T>): Source<T> {
  const { path, schema, changed, header, partitions, every } = resolve(sourceKind, options);
  const read: ReadFiles = { path, schema: schema as Schema<unknown>, changed, header, partitions, everyMs: every };
  return sourceOf(kind, options, readBy(options, read, headerProblems(read)));
}

const headerProblems = ({ schema: { format }, header }: ReadFiles): readonly Problem[] =>
  header && format !== 'csv' ? [{ message: `a header line in ${format}`, hint: 'only csv() has one' }] : [];
