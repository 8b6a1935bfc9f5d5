import { sinkOf } from '../../src/connect/make.js';
import type { Problem } from '../../src/core/operator.js';
import { type OptionsOf, resolve } from '../../src/core/options.js';
import type { Schema } from '../../src/core/schema.js';
import type { Sink } from '../../src/core/sink.js';
import { definition } from './definition.js';
import { tableKind } from './kinds.js';
import type { TableSinkOptions } from './table/options.js';
import { viewProblems } from './table/table-view.js';

interface TableOptions<T> extends Omit<OptionsOf<typeof tableKind.options>, 'schema' | 'columns'> {
  readonly orderBy?: readonly (keyof NoInfer<T> & string)[];
}

interface Fields<T> {
  readonly schema: Schema<T>;
  readonly columns: { readonly [K in keyof NoInfer<T> & string]?: string };
}

/** The columns are declared, or follow from a schema, or both. */
export type ClickHouseTableOptions<T> = TableOptions<T> &
  (
    | (Pick<Fields<T>, 'columns'> & { readonly schema?: never })
    | (Pick<Fields<T>, 'schema'> & Partial<Pick<Fields<T>, 'columns'>>)
  );

/**
 * Writes every value as a row. Effectively once: a row carries the identity of the record that it comes from, and a repeated row
 * replaces itself. A value that a column cannot store goes to the dead letters (`unrepresentable`).
 *
 * @example
 * flights.to('history', clickhouse.tableSink({
 *   table: 'flights',
 *   columns: { flightId: 'UInt32', departedAt: 'DateTime64(3)' },
 *   orderBy: ['departedAt'],
 * }));
 * scored.to('scored', clickhouse.tableSink({ table: 'scored', schema: PredictionV1, insertedAt: 'storedAt', ttl: { since: 'storedAt', after: days(90) } }));
 */
export function tableSink<T>(given: ClickHouseTableOptions<T>): Sink<T> {
  const options = given as OptionsOf<typeof tableKind.options>;
  const { exactlyOnce, pendingRowsMax, pendingBytesMax, ...rest } = resolve(tableKind, options);
  const sinkOptions: TableSinkOptions = {
    ...rest,
    columns: Object.freeze({ ...options.columns }),
    orderBy: Object.freeze([...rest.orderBy]),
    views: Object.freeze([...rest.views]),
  };
  return sinkOf(definition.kinds.tableSink, options, {
    problems: tableProblems(options),
    options: sinkOptions,
    ...(exactlyOnce ? { deferred: Object.freeze({ rowsMax: pendingRowsMax, bytesMax: pendingBytesMax }) } : {}),
  });
}

/** Functions with another result at each call: a repeated row would be in another partition. */
const UNSTEADY = /\b(now|now64|today|yesterday|rand\w*|generate\w*|hostName|rowNumber\w*)\s*\(|\b_incarnation\b/i;

function tableProblems(options: OptionsOf<typeof tableKind.options>): Problem[] {
  const { schema, columns: given, orderBy = [], partitionBy, insertedAt, ttl, views = [], table: view } = options;
  const problems: Problem[] = [];
  if (schema === undefined && given === undefined)
    problems.push({ message: 'there are no columns', hint: 'give columns, or the schema of the values' });
  const columns = [...Object.keys(given ?? {}), ...(insertedAt === undefined ? [] : [insertedAt])];
  const unordered =
    schema === undefined && given !== undefined ? orderBy.filter((name) => !columns.includes(name)) : [];
  if (unordered.length > 0)
    problems.push({
      message: `orderBy has ${unordered.join(', ')}, which the table has not`,
      hint: `order by columns: ${columns.join(', ')}`,
    });
  const named = insertedAt !== undefined && new RegExp(`\\b${insertedAt}\\b`).test(partitionBy ?? '');
  if (partitionBy !== undefined && (UNSTEADY.test(partitionBy) || named)) {
    problems.push({
      message: `partitionBy ${partitionBy} is not the same when a row comes again`,
      hint: 'rows that replace each other must be in one partition: partition by fields of the value, such as its event time',
    });
  }
  const known = schema !== undefined || ttl === undefined || columns.includes(ttl.since);
  if (!known) {
    problems.push({
      message: `ttl counts since ${ttl.since}, which is not a column`,
      hint: 'name a time column: insertedAt, if replayed rows should be kept as long as others',
    });
  }
  return [...problems, ...views.flatMap((each) => viewProblems(each, view))];
}
