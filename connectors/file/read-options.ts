import { timing } from '../../src/connect/source-options.js';
import type { Problem } from '../../src/core/operator.js';
import * as is from '../../src/core/option-types.js';
import { type ConnectorKind, defaulted, problemsOf, required, settingsOf } from '../../src/core/options.js';
import type { Schema, SchemaData } from '../../src/core/schema.js';
import type { Source } from '../../src/core/source.js';
import { isCovered } from './listing.js';

/** What to do where a file is not what it was when it was read: end with an error, or go on as well as can be. */
export type Changed = 'stop' | 'pass';

/** What sources of files have in common. */
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

/** The driver's view of both kinds of sources. */
export interface ReadFiles {
  readonly path: string;
  readonly schema: Schema<unknown>;
  readonly header: boolean;
  readonly changed: Changed;
  readonly partitions: number;
  readonly everyMs: number;
}

interface Written extends Partial<Pick<Source<unknown>, 'idleTimeout' | 'outOfOrdernessMax'>> {
  readonly eventTime: (value: never) => number;
}

/** A source of files as inert data. */
export function sourceOf<T>(
  kind: ConnectorKind,
  written: Written,
  read: ReadFiles,
  problems: readonly Problem[],
): Source<T> {
  const { eventTime, idleTimeout, outOfOrdernessMax } = written;
  const { path, schema } = read;
  return Object.freeze({
    connector: 'file',
    kind: kind.kind,
    topic: path,
    schema,
    settings: settingsOf(kind, written),
    problems: Object.freeze([...problemsOf(kind, written), ...schemaProblems(schema, path), ...problems]),
    options: Object.freeze(read),
    covers: (sample: string) => isCovered(path, sample),
    idleTimeout,
    outOfOrdernessMax,
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
