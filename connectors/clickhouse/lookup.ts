import { lookupOf } from '../../src/connect/make.js';
import type { Lookup } from '../../src/core/lookup.js';
import type { Problem } from '../../src/core/options.js';
import { problemsOf, resolve } from '../../src/core/options.js';
import { definition } from './definition.js';
import type { RowsOptions } from './kinds.js';
import { rowsKind } from './kinds.js';

interface RowsCommon<V> {
  /** The column to look up by; the text of its value is the key. */
  readonly key: string;
  /** The ClickHouse type of that column; `String` by default. */
  readonly keyType?: string;
  /** Converts a row to the value (default: the row). If it throws, only this key is refused. */
  readonly decode?: (row: never) => V;
}

export interface TableRows<V> extends RowsCommon<V> {
  readonly table: string;
  /** The columns to read besides the key. */
  readonly columns: readonly string[];
}

export interface QueryRows<V> extends RowsCommon<V> {
  /** A query whose result includes the key column, with the keys as `{keys:Array(Type)}`. */
  readonly query: string;
}

/** Options of `clickhouse.tableLookup`. */
export type ClickHouseRowsOptions<V> = TableRows<V> | QueryRows<V>;

/**
 * Looks up rows by a column, all keys of a request in one statement. A key without a row is missing. If several rows have one key,
 * any of them is the answer: look up in a table or view with one row per key, such as a view with `FINAL`.
 *
 * A lookup is fast if the table is ordered by the column. 64-bit integers in rows are exact up to 2^53; as keys they are always
 * exact.
 *
 * @example
 * lookup({
 *   from: clickhouse.tableLookup<{ name: string }>({ table: 'airports', key: 'iata', columns: ['name'] }),
 *   key: (f) => f.origin,
 *   as: 'airport',
 * })
 */
export function tableLookup<V = Readonly<Record<string, unknown>>>(options: ClickHouseRowsOptions<V>): Lookup<V> {
  const { keyType, decode } = resolve(rowsKind, options);
  const problems = [...problemsOf(rowsKind, options), ...placeProblems(options)];
  const read: RowsOptions = {
    sql: problems.length > 0 ? '' : sqlOf(options, keyType),
    key: KEY_TEXT,
    keyType,
    decode: decode as RowsOptions['decode'],
  };
  return lookupOf(definition.kinds.tableLookup, options, {
    problems: placeProblems(options),
    options: read,
  });
}

/** Types allow only one of them; JavaScript and casts can pass both or neither. */
function placeProblems(options: object): Problem[] {
  const { table, query, columns } = options as { table?: unknown; query?: unknown; columns?: unknown };
  const hint = 'give `table` and `columns`, or `query`';
  if (table === undefined && query === undefined) return [{ message: 'neither table nor query', hint }];
  if (query === undefined) return columns === undefined ? [{ message: 'columns is missing', hint }] : [];
  if (table !== undefined || columns !== undefined) return [{ message: 'query beside table or columns', hint }];
  if (typeof query === 'string' && !/\{\s*keys\s*:/.test(query)) {
    return [{ message: 'the query has no parameter for the keys', hint: 'add WHERE key IN {keys:Array(String)}' }];
  }
  return [];
}

/** The column with the key as text: a 64-bit number would lose digits. */
const KEY_TEXT = '_key';

const sqlOf = (options: ClickHouseRowsOptions<unknown>, keyType: string): string =>
  'query' in options ? withKeyText(options.query, options.key) : selectOf(options, keyType);

function selectOf({ table, key, columns }: TableRows<unknown>, keyType: string): string {
  const names = [...new Set([key, ...columns])].map(quoted).join(', ');
  const source = table.split('.').map(quoted).join('.');
  return `SELECT toString(${quoted(key)}) AS ${KEY_TEXT}, ${names} FROM ${source} WHERE ${quoted(key)} IN {keys:Array(${keyType})} LIMIT 1 BY ${KEY_TEXT}`;
}

const withKeyText = (query: string, key: string): string =>
  `SELECT toString(${quoted(key)}) AS ${KEY_TEXT}, * FROM (${query.trim().replace(/;\s*$/, '')}) LIMIT 1 BY ${KEY_TEXT}`;

const quoted = (name: string): string => `\`${name.replaceAll('`', '\\`')}\``;
