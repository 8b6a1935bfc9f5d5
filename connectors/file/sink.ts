import type { Duration } from '../../src/core/duration.js';
import type { Problem } from '../../src/core/operator.js';
import * as is from '../../src/core/option-types.js';
import { connectorKind, optional, problemsOf, required, settingsOf } from '../../src/core/options.js';
import type { Sink } from '../../src/core/sink.js';
import { endingOf, type RowFormat, rowFormatProblems, rowFormatSettings } from './row-format.js';

/** When a file is full: at whatever comes first. */
export interface Roll {
  /** A million by default. */
  readonly rows?: number;
  /** Of rows before compression; 128 MiB by default. */
  readonly bytes?: number;
  /** Processing time since its first row, looked at when an epoch ends; a minute by default. */
  readonly age?: Duration;
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

export const sinkKind = connectorKind({
  kind: 'file.sink',
  role: 'sink',
  doc: 'Writes rows to files, lines or Parquet, each row into exactly one.',
  options: {
    folder: required(is.text, 'Where files appear; one for all processes that may have the task.'),
    schema: optional(is.schema, 'Rows as lines: `ndjson()`, `json()`, `csv()` or `text()`.'),
    header: optional(is.flag, 'Of CSV: begin each file with the names of its columns; no by default.'),
    compression: optional(is.oneOf('gzip', 'zstd'), 'Of lines; none by default.'),
    columns: optional(
      is.custom<object>('columns as of `csv()`', isObject, (columns) => Object.keys(columns).join(',')),
      'Rows as Parquet in the place of `schema`: the columns in their order and what each holds; with `?` a value may be missing.',
    ),
    roll: optional(
      is.custom<Roll>('`{ rows?, bytes?, age? }`', isObject),
      'When a file is full, at whatever comes first: a million rows, 128 MiB before compression, a minute since its first row (looked at when an epoch ends).',
    ),
    by: optional(
      is.oneOf('hour', 'day'),
      'A folder for each hour or day of event time (UTC): `date=2026-11-26/hour=04/`; none by default.',
    ),
  },
});

/** Options of `file.sink`. */
export type FileSinkOptions<T> = RowFormat<T> & {
  readonly folder: string;
  readonly roll?: Roll;
  /** A folder for each hour or day of event time (UTC): `date=2026-11-26/hour=04/`. None by default. */
  readonly by?: 'hour' | 'day';
};

/** As the driver sees it. */
export interface WriteFiles {
  readonly format: RowFormat<unknown>;
  readonly folder: string;
  readonly by: 'hour' | 'day' | undefined;
  readonly roll: { readonly rows: number; readonly bytes: number; readonly ageMs: number };
}

const MIB = 1024 * 1024;

/**
 * Writes rows to files, lines or Parquet, exactly once: what is written lies in `.millrace` below the folder, and a file
 * appears under its name when it is full and the checkpoint that has all its rows is stored. Names are
 * `part-TASK-INCARNATION-NUMBER`, the same again after a crash.
 *
 * @example
 * predictions.to('archive', file.sink({ folder: 'out/predictions', schema: ndjson<Prediction>(), compression: 'zstd', by: 'hour' }));
 * trips.to('trips', file.sink({ folder: 'out/trips', columns: { id: 'integer', at: 'date', fare: 'number?' } }));
 */
export function sink<T>(options: FileSinkOptions<T>): Sink<T> {
  const { folder, roll = {}, by, ...written } = options;
  const format = written as RowFormat<unknown>;
  const driven: WriteFiles = {
    format,
    folder,
    by,
    roll: { rows: roll.rows ?? 1_000_000, bytes: roll.bytes ?? 128 * MIB, ageMs: roll.age ?? 60_000 },
  };
  return Object.freeze({
    connector: 'file',
    kind: sinkKind.kind,
    settings: Object.freeze({ ...settingsOf(sinkKind, options), ...rowFormatSettings(format) }),
    problems: Object.freeze([
      ...problemsOf(sinkKind, options),
      ...rowFormatProblems(format),
      ...rollProblems(driven.roll),
    ]),
    options: Object.freeze(driven),
    place: Object.freeze({ called: `folder ${folder}`, sample: sampleOf(driven) }),
  });
}

/** A file as one may be called. */
const sampleOf = ({ folder, by, format }: WriteFiles): string =>
  `${folder}/${by === undefined ? '' : by === 'day' ? 'date=2026-01-01/' : 'date=2026-01-01/hour=00/'}part-00000-0-00000000${endingOf(format)}`;

const rollProblems = (roll: WriteFiles['roll']): readonly Problem[] =>
  Object.entries(roll)
    .filter(([, limit]) => !(limit > 0))
    .map(([name, limit]) => ({ message: `roll: ${name} is ${limit}`, hint: 'give a number above 0' }));
