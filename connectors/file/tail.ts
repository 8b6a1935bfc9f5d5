import { seconds } from '../../src/core/duration.js';
import type { Problem } from '../../src/core/operator.js';
import * as is from '../../src/core/option-types.js';
import { connectorKind, type OptionsOf, required, resolve } from '../../src/core/options.js';
import type { Schema } from '../../src/core/schema.js';
import type { Source } from '../../src/core/source.js';
import { reading, sourceOf } from './read-options.js';

export const tailKind = connectorKind({
  kind: 'file.tailSource',
  role: 'source',
  doc: 'Follows a growing file line by line, and its successor after a rotation.',
  options: { path: required(is.text, 'One uncompressed file of lines.'), ...reading },
});

/** Options of `file.tailSource`. */
export interface TailOptions<T> extends Omit<OptionsOf<typeof tailKind.options>, 'schema' | 'eventTime'> {
  readonly schema: Schema<T>;
  readonly eventTime: (value: T) => number;
}

/**
 * Follows a file that grows, line by line, and what takes its place when it is rotated: a renamed one is read to its end
 * first. A line counts once its line end is written.
 *
 * @example
 * t.source('requests', file.tailSource({ path: '/var/log/app/requests.ndjson', schema: ndjson<Request>(), eventTime: (r) => r.at }));
 */
export function tailSource<T>(options: TailOptions<T>): Source<T> {
  const { path, schema, changed } = resolve(tailKind, options);
  const one = { header: false, partitions: 1, everyMs: seconds(1) };
  return sourceOf(tailKind, options, { path, schema: schema as Schema<unknown>, changed, ...one }, pathProblems(path));
}

const pathProblems = (path: string): readonly Problem[] =>
  path.includes('*') || /\.(parquet|gz|zst)$/.test(path)
    ? [{ message: `${path} cannot be followed`, hint: 'give one file of lines, or read with file.source' }]
    : [];
