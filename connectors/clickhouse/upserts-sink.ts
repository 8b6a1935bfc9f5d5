import { sinkOf } from '../../src/connect/make.js';
import { type OptionsOf, resolve } from '../../src/core/options.js';
import type { Change } from '../../src/core/record.js';
import type { Sink } from '../../src/core/sink.js';
import { definition } from './definition.js';
import { upsertsKind } from './kinds.js';
import type { UpsertTableOptions } from './table/options.js';

/** Options of `clickhouse.upsertSink`. */
export interface ClickHouseUpsertsOptions<T> extends Omit<OptionsOf<typeof upsertsKind.options>, 'columns'> {
  readonly columns: { readonly [K in keyof NoInfer<T> & string]?: string };
  readonly orderBy?: readonly (keyof NoInfer<T> & string)[];
}

/**
 * Keeps the current value of each key of a stream of changes as a row: a revised value replaces its row, a retracted one is no
 * longer shown. Effectively once: a row's version is the number of its change among those of its task, so inserts may be repeated.
 * A deletion stays in the stored table as a marked row; a change from nothing to nothing is not written.
 *
 * @example
 * hourly.to('hourly', clickhouse.upsertSink({
 *   table: 'trips_per_hour',
 *   key: 'window',
 *   columns: { startMs: 'DateTime64(3)', trips: 'UInt32' },
 *   orderBy: ['startMs'],
 * }));
 */
export function upsertSink<T extends object>(options: ClickHouseUpsertsOptions<T>): Sink<Change<T>> {
  const { table, key, columns: given, orderBy, migrate: allowed } = resolve(upsertsKind, options);
  const sinkOptions: UpsertTableOptions = {
    table,
    columns: Object.freeze({ ...given, [key]: 'String' }) as UpsertTableOptions['columns'],
    key,
    orderBy: Object.freeze([...orderBy]),
    migrate: allowed,
  };
  return sinkOf(definition.kinds.upsertSink, options, {
    changes: true,
    options: sinkOptions,
  });
}
