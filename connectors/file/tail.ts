import { sourceOf } from '../../src/connect/make.js';
import { seconds } from '../../src/core/duration.js';
import type { Problem } from '../../src/core/operator.js';
import { type OptionsOf, resolve } from '../../src/core/options.js';
import type { Schema } from '../../src/core/schema.js';
import type { Source } from '../../src/core/source.js';
import { definition } from './definition.js';
import { tailKind } from './kinds.js';
import { readBy } from './read-options.js';

/** Options of `file.tailSource`. */
export interface TailOptions<T> extends Omit<OptionsOf<typeof tailKind.options>, 'schema' | 'eventTime'> {
  readonly schema: Schema<T>;
  readonly eventTime: (value: T) => number;
}

/**
 * Follows a growing file, line by line, and the file that replaces it after a rotation: a renamed file is read to its end first. A
 * line is read once its line end is written.
 *
 * @example
 * t.source('requests', file.tailSource({ path: '/var/log/app/requests.ndjson', schema: ndjson<Request>(), eventTime: (r) => r.at }));
 */
export function tailSource<T>(options: TailOptions<T>): Source<T> {
  const { path, schema, changed } = resolve(tailKind, options);
  const one = { header: false, partitions: 1, everyMs: seconds(1) };
  const read = { path, schema: schema as Schema<unknown>, changed, ...one };
  return sourceOf(definition.kinds.tailSource, options, readBy(options, read, pathProblems(path)));
}

const pathProblems = (path: string): readonly Problem[] =>
  path.includes('*') || /\.(parquet|gz|zst)$/.test(path)
    ? [{ message: `${path} cannot be followed`, hint: 'give one file of lines, or read with file.source' }]
    : [];
