import type { Problem } from '../../src/core/operator.js';
import type { SchemaData } from '../../src/core/schema.js';
import type { Source } from '../../src/core/source.js';
import type { ReadFiles } from './kinds.js';
import { isCovered } from './listing.js';

interface Written extends Partial<Pick<Source<unknown>, 'idleTimeout' | 'outOfOrdernessMax'>> {
  readonly eventTime: (value: never) => number;
}

/** The options of a source of files, besides its kind. */
export function readBy(
  { eventTime, idleTimeout, outOfOrdernessMax }: Written,
  read: ReadFiles,
  problems: readonly Problem[],
) {
  const { path, schema } = read;
  return {
    topic: path,
    schema,
    problems: [...schemaProblems(schema, path), ...problems],
    options: read,
    covers: (sample: string) => isCovered(path, sample),
    idleTimeout,
    outOfOrdernessMax,
    eventTimeOf: eventTime as (value: unknown) => number,
  };
}

/** A row is a line, so formats with line ends in their bytes cannot be read. */
function schemaProblems({ format, options }: SchemaData, path: string): Problem[] {
  if (path.endsWith('.parquet')) {
    return format === 'json' || format === 'json-schema'
      ? []
      : [{ message: `${format} for rows of Parquet`, hint: 'rows of Parquet are read as JSON: pass json<Row>()' }];
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
