import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timing } from '../../src/connect/source-options.js';
import type { Duration } from '../../src/core/duration.js';
import { seconds } from '../../src/core/duration.js';
import type { Isolation, SinkKind, SourceKind } from '../../src/core/kind.js';
import * as is from '../../src/core/option-types.js';
import { defaulted, optional, required } from '../../src/core/options.js';
import type { Schema } from '../../src/core/schema.js';
import type { RowFormat } from './row-format.js';
// Every kind of source and sink of files, with all options.

/** When a file is full; the first limit counts. */
export interface Roll {
  /** A million by default. */
  readonly rows?: number;
  /** The size of the rows before compression; 128 MiB by default. */
  readonly bytes?: number;
  /** Processing time since its first row, checked at the end of each epoch; a minute by default. */
  readonly age?: Duration;
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** What to do if a file has changed since it was read: fail, or continue as far as possible. */
export type Changed = 'stop' | 'pass';

/** Options that sources of files share. */
export const reading = {
  schema: required(
    is.schema,
    'Schema of a row: `ndjson()`, `csv()`, `json()` or `text()`. Rows of Parquet are read as JSON.',
  ),
  eventTime: required(
    is.callback<(value: never) => number>('(value) => milliseconds'),
    'Event time in milliseconds since 1970. There is no default, because the time of a file is not that of its rows.',
  ),
  changed: defaulted(
    is.oneOf('stop', 'pass'),
    'stop',
    'What to do if a file has changed since it was read: end the run (`stop`), or continue with what is there (`pass`).',
  ),
  ...timing,
} as const;

/** The folders of both runs of a verification. */
export const foldersOf = ({ id }: Pick<Isolation, 'id'>): string => join(tmpdir(), `millrace-${id}`);

const isolatedFolder = (isolation: Isolation): string => join(foldersOf(isolation), isolation.run, isolation.step);

export const sourceKind = {
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
} satisfies SourceKind;

export const tailKind = {
  role: 'source',
  doc: 'Follows a growing file line by line, and its successor after a rotation.',
  options: { path: required(is.text, 'One uncompressed file of lines.'), ...reading },
} satisfies SourceKind;

export const sinkKind = {
  role: 'sink',
  writes: 'prepared',
  verify: {
    called: ({ folder }: WriteFiles) => folder,
    isolate: (options: WriteFiles, isolation) => ({ ...options, folder: isolatedFolder(isolation) }),
  },
  doc: 'Writes rows to files as lines or Parquet, each row exactly once.',
  options: {
    folder: required(is.text, 'The output folder; shared by all processes of the topology.'),
    schema: optional(is.schema, 'Schema of rows as lines: `ndjson()`, `json()`, `csv()` or `text()`.'),
    header: optional(is.flag, 'CSV only: start each file with a header line (default: no).'),
    compression: optional(is.oneOf('gzip', 'zstd'), 'Compression of lines (default: none).'),
    columns: optional(
      is.custom<object>('columns as of `csv()`', isObject, (columns) => Object.keys(columns).join(',')),
      'Rows as Parquet, instead of `schema`: the columns in order with their types; with `?` a value may be missing.',
    ),
    roll: optional(
      is.custom<Roll>('`{ rows?, bytes?, age? }`', isObject),
      'When to roll to a new file, whichever comes first (default: a million rows, 128 MiB before compression, a minute since its first row, checked at each checkpoint).',
    ),
    by: optional(
      is.oneOf('hour', 'day'),
      'One folder per hour or day of event time (UTC), such as `date=2026-11-26/hour=04/` (default: none).',
    ),
  },
} satisfies SinkKind;

/** The options of both kinds of sources as the driver gets them. */
export interface ReadFiles {
  readonly path: string;
  readonly schema: Schema<unknown>;
  readonly header: boolean;
  readonly changed: Changed;
  readonly partitions: number;
  readonly everyMs: number;
}

/** The options as the driver gets them. */
export interface WriteFiles {
  readonly format: RowFormat<unknown>;
  readonly folder: string;
  readonly by: 'hour' | 'day' | undefined;
  readonly roll: { readonly rows: number; readonly bytes: number; readonly ageMs: number };
}
