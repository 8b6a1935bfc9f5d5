import { type Duration, formatDuration, seconds } from '../../src/core/duration.js';
import type { Sink, Source } from '../../src/core/io.js';
import type { Problem } from '../../src/core/operator.js';
import type { Schema, SchemaData } from '../../src/core/schema.js';
import type { RowFormat } from './row-format.js';
import { rowFormatProblems, rowFormatSettings } from './row-format.js';

/** What to do where a file is not what it was when it was read: end with an error, or go on as well as can be. */
export type Changed = 'stop' | 'pass';

interface ReadOptions<T> {
  /** Of one row: `ndjson()`, `csv()`, `json()` or `text()`. Rows of Parquet are read as JSON. */
  readonly schema: Schema<T>;
  /** Event time in milliseconds since 1970. There is no default: a file's own time is not that of its rows. */
  readonly eventTime: (value: T) => number;
  /** How far (event time) a row may trail the latest one before it; none by default. */
  readonly disorderMax?: Duration;
  /** How long (processing time) the other inputs of a task wait while this one brings nothing; for ever by default. */
  readonly idleMax?: Duration;
  /** Whether each file of CSV begins with the names of its columns; they are compared with the schema's. */
  readonly header?: boolean;
  /** `stop` by default. */
  readonly changed?: Changed;
}

export interface FileSourceOptions<T> extends ReadOptions<T> {
  /**
   * The files: a path whose last parts may have `*`, as `data/orders/*.ndjson`. What a name ends
   * in says how it is read: `.parquet`, else lines; `.gz` and `.zst` are decompressed.
   */
  readonly path: string;
  /** Tasks that share the files, each file as a whole; 1 by default. Must not be changed later. */
  readonly partitions?: number;
  /** How often a folder is looked at for new files; one second by default. */
  readonly every?: Duration;
}

export interface TailOptions<T> extends Omit<ReadOptions<T>, 'header'> {
  readonly path: string;
}

/** The driver's view of both kinds of sources. */
export interface ReadFiles {
  readonly path: string;
  readonly schema: Schema<unknown>;
  readonly header: boolean;
  readonly changed: Changed;
  readonly partitions: number;
  readonly everyMs: number;
}

/** When a file is full: at whatever comes first. */
export interface Roll {
  /** A million by default. */
  readonly rows?: number;
  /** Of rows before compression; 128 MiB by default. */
  readonly bytes?: number;
  /** Processing time since its first row, looked at when an epoch ends; a minute by default. */
  readonly age?: Duration;
}

export type FileSinkOptions<T> = RowFormat<T> & {
  readonly folder: string;
  readonly roll?: Roll;
  /** A folder for each hour or day of event time (UTC): `date=2026-11-26/hour=04/`. None by default. */
  readonly by?: 'hour' | 'day';
};

export interface WriteFiles {
  readonly format: RowFormat<unknown>;
  readonly folder: string;
  readonly by: 'hour' | 'day' | undefined;
  readonly roll: { readonly rows: number; readonly bytes: number; readonly ageMs: number };
}

const MIB = 1024 * 1024;

/**
 * Files as inputs and outputs of a topology: inert data, read by the profile that runs it. Nothing here opens anything.
 */
export const file = {
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
  source<T>(options: FileSourceOptions<T>): Source<T> {
    const { path, header = false, partitions = 1, every = seconds(1) } = options;
    const problems = [...schemaProblems(options.schema, path), ...headerProblems(options.schema, header)];
    if (!(Number.isInteger(partitions) && partitions >= 1)) {
      problems.push({ message: `partitions is ${partitions}`, hint: 'give a whole number from 1' });
    }
    return sourceOf('file.source', options, problems, { header, partitions, everyMs: every });
  },

  /**
   * Follows a file that grows, line by line, and what takes its place when it is rotated: a renamed one is read to its end
   * first. A line counts once its line end is written.
   *
   * @example
   * t.source('requests', file.tail({ path: '/var/log/app/requests.ndjson', schema: ndjson<Request>(), eventTime: (r) => r.at }));
   */
  tail<T>(options: TailOptions<T>): Source<T> {
    const { path, schema } = options;
    const problems = schemaProblems(schema, path);
    if (path.includes('*') || /\.(parquet|gz|zst)$/.test(path)) {
      problems.push({
        message: `${path} cannot be followed`,
        hint: 'give one file of lines, or read with file.source',
      });
    }
    return sourceOf('file.tail', options, problems, { header: false, partitions: 1, everyMs: seconds(1) });
  },

  /**
   * Writes rows to files, lines or Parquet, exactly once: what is written lies in `.millrace` below the folder, and a file
   * appears under its name when it is full and the checkpoint that has all its rows is stored. Names are
   * `part-TASK-INCARNATION-NUMBER`, the same again after a crash.
   *
   * @example
   * predictions.to('archive', file.sink({ folder: 'out/predictions', schema: ndjson<Prediction>(), compression: 'zstd', by: 'hour' }));
   * trips.to('trips', file.sink({ folder: 'out/trips', columns: { id: 'integer', at: 'date', fare: 'number?' } }));
   */
  sink<T>({ folder, roll = {}, by, ...format }: FileSinkOptions<T>): Sink<T> {
    const options: WriteFiles = {
      format: format as RowFormat<unknown>,
      folder,
      by,
      roll: { rows: roll.rows ?? 1_000_000, bytes: roll.bytes ?? 128 * MIB, ageMs: roll.age ?? 60_000 },
    };
    return Object.freeze({
      connector: 'file',
      kind: 'file.sink',
      settings: Object.freeze({ folder, ...rowFormatSettings(options.format), ...(by === undefined ? {} : { by }) }),
      problems: Object.freeze([...rowFormatProblems(options.format), ...rollProblems(options.roll)]),
      options: Object.freeze(options),
    });
  },
} as const;

export const rollProblems = (roll: WriteFiles['roll']): readonly Problem[] =>
  Object.entries(roll)
    .filter(([, limit]) => !(limit > 0))
    .map(([name, limit]) => ({ message: `roll: ${name} is ${limit}`, hint: 'give a number above 0' }));

function sourceOf<T>(
  kind: string,
  options: ReadOptions<T> & { readonly path: string },
  problems: readonly Problem[],
  rest: Pick<ReadFiles, 'header' | 'partitions' | 'everyMs'>,
): Source<T> {
  const { path, schema, eventTime, disorderMax, idleMax, changed = 'stop' } = options;
  const read: ReadFiles = { path, schema: schema as Schema<unknown>, changed, ...rest };
  return Object.freeze({
    connector: 'file',
    kind,
    topic: path,
    schema: schema as Schema<unknown>,
    settings: Object.freeze({
      path,
      changed,
      ...(rest.header ? { header: true } : {}),
      ...(rest.partitions === 1 ? {} : { partitions: rest.partitions }),
      ...(idleMax === undefined ? {} : { idleMax: formatDuration(idleMax) }),
      ...(disorderMax === undefined ? {} : { disorderMax: formatDuration(disorderMax) }),
    }),
    problems: Object.freeze([...problems]),
    options: Object.freeze(read),
    idleMax,
    disorderMax,
    eventTimeOf: eventTime as (value: unknown) => number,
  });
}

/** A row is a line: formats whose bytes may hold line ends cannot be told apart. */
function schemaProblems({ format, options }: SchemaData, path: string): Problem[] {
  if (path.endsWith('.parquet')) {
    return format === 'json' || format === 'json-schema'
      ? []
      : [{ message: `${format} where rows are Parquet`, hint: 'rows of Parquet are read as JSON: pass json<Row>()' }];
  }
  const framed = format === 'json-schema' && (options as { framing?: string } | undefined)?.framing !== 'none';
  return framed || format === 'bytes' || format === 'avro' || format === 'protobuf'
    ? [
        {
          message: `${format} in lines`,
          hint: "rows are lines: pass ndjson(), csv(), text() or jsonSchema({ framing: 'none' })",
        },
      ]
    : [];
}

const headerProblems = ({ format }: SchemaData, header: boolean): Problem[] =>
  header && format !== 'csv' ? [{ message: `a header line in ${format}`, hint: 'only csv() has one' }] : [];
