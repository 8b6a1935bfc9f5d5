import type { Lookup } from '../../src/core/look-up.js';
import * as is from '../../src/core/option-types.js';
import { connectorKind, defaulted, optional, required } from '../../src/core/options.js';
import type { Settings } from '../../src/core/settings.js';

export const rowsKind = connectorKind({
  kind: 'clickhouse.rows',
  role: 'look-up',
  doc: 'Looks rows up by a column, all keys of a question in one statement.',
  options: {
    table: optional(is.text, 'The table or view to look in; one with a row a key. This, or `query`.'),
    columns: optional(is.listOf(is.text), 'With `table`: columns to read, the key besides.'),
    query: optional(
      is.text,
      "A statement whose rows have the key's column, and which takes the keys as `{keys:Array(Type)}`.",
    ),
    key: required(is.text, "The column that is looked up; a row's value of it, as text, is the key."),
    keyType: defaulted(is.text, 'String', "ClickHouse's type of that column."),
    decode: optional(
      is.callback<(row: never) => unknown>('(row) => unknown'),
      'Makes the value of a row; what it throws is said of the key, which then is refused. The row as it is by default.',
    ),
  },
});

interface RowsCommon<V> {
  /** The column that is looked up; a row's value of it, as text, is the key. */
  readonly key: string;
  /** ClickHouse's type of that column; `String` by default. */
  readonly keyType?: string;
  /** Makes the value of a row; what it throws is said of the key, which then is refused. The row as it is by default. */
  readonly decode?: (row: never) => V;
}

export interface TableRows<V> extends RowsCommon<V> {
  readonly table: string;
  /** Columns to read, the key besides. */
  readonly columns: readonly string[];
}

export interface QueryRows<V> extends RowsCommon<V> {
  /** A statement whose rows have the key's column, and which takes the keys as `{keys:Array(Type)}`. */
  readonly query: string;
}

export type ClickHouseRowsOptions<V> = TableRows<V> | QueryRows<V>;

/** As the driver sees it. */
export interface RowsOptions {
  readonly sql: string;
  /** Under which a row of the result says its key. */
  readonly key: string;
  readonly keyType: string;
  readonly decode: ((row: unknown) => unknown) | undefined;
}

/**
 * Looks rows up by a column, all keys of a question in one statement. A key without a row is missing; where there are
 * several rows of one key, any of them is the answer, so look up in what has one, a view that reads `FINAL` for example.
 *
 * A column is quick to look up by if the table is ordered by it. Integers of 64 bits are exact up to 2^53 in rows; as keys
 * they are exact.
 *
 * @example
 * lookUp({
 *   from: clickhouse.rows<{ name: string }>({ table: 'airports', key: 'iata', columns: ['name'] }),
 *   key: (f) => f.origin,
 *   as: 'airport',
 * })
 */
export function rows<V = Readonly<Record<string, unknown>>>(options: ClickHouseRowsOptions<V>): Lookup<V> {
  const { key, keyType = rowsKind.options.keyType.fallback ?? '' } = options;
  const asked: Settings = 'query' in options ? { query: options.query } : { table: options.table };
  const sql = 'query' in options ? withKeyText(options.query, key) : selectOf(options, keyType);
  const read: RowsOptions = {
    sql,
    key: KEY_TEXT,
    keyType,
    decode: options.decode as ((row: unknown) => unknown) | undefined,
  };
  return Object.freeze({
    connector: 'clickhouse',
    kind: rowsKind.kind,
    settings: Object.freeze({ ...asked, key, keyType }),
    options: Object.freeze(read),
  });
}

/** Under which a row of the result says its key as text: a number of 64 bits would lose digits on the way. */
const KEY_TEXT = '_key';

function selectOf({ table, key, columns }: TableRows<unknown>, keyType: string): string {
  const names = [...new Set([key, ...columns])].map(quoted).join(', ');
  const source = table.split('.').map(quoted).join('.');
  return `SELECT toString(${quoted(key)}) AS ${KEY_TEXT}, ${names} FROM ${source} WHERE ${quoted(key)} IN {keys:Array(${keyType})} LIMIT 1 BY ${KEY_TEXT}`;
}

const withKeyText = (query: string, key: string): string =>
  `SELECT toString(${quoted(key)}) AS ${KEY_TEXT}, * FROM (${query.trim().replace(/;\s*$/, '')}) LIMIT 1 BY ${KEY_TEXT}`;

const quoted = (name: string): string => `\`${name.replaceAll('`', '\\`')}\``;
