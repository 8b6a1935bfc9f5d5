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
