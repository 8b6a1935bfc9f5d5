import { sinkOf } from '../../src/connect/make.js';
import type { KindDefinition, SinkKind } from '../../src/core/kind.js';
import type { Problem } from '../../src/core/operator.js';
import { settingsOf } from '../../src/core/options.js';
import type { Sink } from '../../src/core/sink.js';
import { definition } from './definition.js';
import type { Roll, WriteFiles } from './kinds.js';
import { endingOf, type RowFormat, rowFormatProblems, rowFormatSettings } from './row-format.js';

/** Options of `file.sink`. */
export type FileSinkOptions<T> = RowFormat<T> & {
  readonly folder: string;
  readonly roll?: Roll;
  /** A folder for each hour or day of event time (UTC): `date=2026-11-26/hour=04/`. None by default. */
  readonly by?: 'hour' | 'day';
};

const MIB = 1024 * 1024;

/**
 * Writes rows to files, as lines or Parquet, exactly once. Rows are written to `.millrace` below the folder. A file appears under
 * its name when it is full and the checkpoint with all its rows is stored. Names are `part-TASK-INCARNATION-NUMBER`, the same again
 * after a crash.
 *
 * @example
 * predictions.to('archive', file.sink({ folder: 'out/predictions', schema: ndjson<Prediction>(), compression: 'zstd', by: 'hour' }));
 * trips.to('trips', file.sink({ folder: 'out/trips', columns: { id: 'integer', at: 'date', fare: 'number?' } }));
 */
export const sink = <T>(options: FileSinkOptions<T>): Sink<T> => filesSink(definition.kinds.sink, options);

/** Also for other storage with files. */
export function filesSink<T>(kind: KindDefinition<SinkKind>, options: FileSinkOptions<T>): Sink<T> {
  const { folder, roll = {}, by, ...written } = options;
  const format = written as RowFormat<unknown>;
  const driven: WriteFiles = {
    format,
    folder,
    by,
    roll: { rows: roll.rows ?? 1_000_000, bytes: roll.bytes ?? 128 * MIB, ageMs: roll.age ?? 60_000 },
  };
  return sinkOf(kind, options, {
    settings: { ...settingsOf(kind, options), ...rowFormatSettings(format) },
    problems: [...rowFormatProblems(format), ...rollProblems(driven.roll)],
    options: driven,
    target: Object.freeze({ name: `folder ${folder}`, sample: sampleOf(driven) }),
  });
}

/** An example of a file name. */
const sampleOf = ({ folder, by, format }: WriteFiles): string =>
  `${folder}/${by === undefined ? '' : by === 'day' ? 'date=2026-01-01/' : 'date=2026-01-01/hour=00/'}part-00000-0-00000000${endingOf(format)}`;

const rollProblems = (roll: WriteFiles['roll']): readonly Problem[] =>
  Object.entries(roll)
    .filter(([, limit]) => !(limit > 0))
    .map(([name, limit]) => ({ message: `roll: ${name} is ${limit}`, hint: 'give a number above 0' }));
