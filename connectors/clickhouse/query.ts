import { sourceOf } from '../../src/connect/make.js';
import type { Problem } from '../../src/core/operator.js';
import { type OptionsOf, resolve } from '../../src/core/options.js';
import type { Schema, SchemaData } from '../../src/core/schema.js';
import type { Source } from '../../src/core/source.js';
import { json } from '../../src/schema/json.js';
import { definition } from './definition.js';
import type { Query } from './kinds.js';
import { queryKind } from './kinds.js';

/** Options of `clickhouse.querySource`. */
export interface ClickHouseQueryOptions<T> extends Omit<OptionsOf<typeof queryKind.options>, 'schema' | 'eventTime'> {
  readonly schema?: Schema<T>;
  readonly eventTime: (row: T) => number;
}

/**
 * Reads the rows of a query, in the order of `orderBy`, up to the last row at the first start. The checkpoint stores this bound and
 * the last row read. A restart continues at the exact row and ends at the same row, if the rows up to the bound do not change. If
 * two rows are equal in `orderBy`, the run ends with an error.
 *
 * In a row, integers of 64 bits and more, decimals, NaN and infinities are strings; times are ISO 8601 strings (UTC). One task
 * reads. Memory: a page, and the positions of rows since the last checkpoint.
 *
 * @example
 * t.source('orders', clickhouse.querySource<{ id: string; at: string; amount: number }>({
 *   name: 'orders-2026',
 *   sql: "SELECT id, at, amount FROM orders WHERE at >= '2026-01-01'",
 *   orderBy: ['at', 'id'],
 *   eventTime: (order) => Date.parse(order.at),
 * }));
 */
export function querySource<T>(options: ClickHouseQueryOptions<T>): Source<T> {
  const {
    name: topic,
    sql,
    orderBy,
    schema = json<T>(),
    eventTime,
    key,
    pageRowsMax,
    every,
    outOfOrdernessMax,
    idleTimeout,
  } = resolve(queryKind, options);
  const driven: Query = {
    name: topic,
    sql: `${sql}`.trim().replace(/;\s*$/, ''),
    orderBy: Object.freeze([...orderBy]),
    key,
    pageRowsMax,
    everyMs: every,
  };
  return sourceOf(definition.kinds.querySource, options, {
    topic,
    schema: schema as Schema<unknown>,
    problems: queryProblems(driven, schema),
    options: driven,
    idleTimeout,
    outOfOrdernessMax,
    eventTimeOf: eventTime as (value: unknown) => number,
  });
}

function queryProblems({ sql, orderBy }: Query, { format, options }: SchemaData): Problem[] {
  const problems: Problem[] = [];
  if (orderBy.length === 0)
    problems.push({
      message: 'orderBy is empty',
      hint: 'name columns that together identify a row: the source needs a total order',
    });
  if (/\bLIMIT\s+\d+(\s*(,|OFFSET)\s*\d+)?\s*$/i.test(sql))
    problems.push({
      message: 'the query ends in LIMIT',
      hint: 'select the rows by a condition: a limit would apply to each page',
    });
  const framed = (options as { readonly framing?: string } | undefined)?.framing !== 'none';
  if (format !== 'json' && (format !== 'json-schema' || framed))
    problems.push({
      message: `${format} for rows of JSON`,
      hint: "pass json<Row>() or jsonSchema({ framing: 'none' })",
    });
  return problems;
}
