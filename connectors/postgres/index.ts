import type { Lookup } from '../../src/core/lookup.js';
import type { Problem } from '../../src/core/operator.js';
import * as is from '../../src/core/option-types.js';
import {
  type ConnectorKind,
  connectorKind,
  defaulted,
  type OptionsOf,
  optional,
  problemsOf,
  required,
  resolve,
  settingsOf,
} from '../../src/core/options.js';
import type { Sink } from '../../src/core/sink.js';
import { isName, quoted } from './names.js';

const tableKind = connectorKind({
  kind: 'postgres.tableSink',
  role: 'sink',
  doc: 'Writes every value as a row: it is added to the table or, with `key`, replaces the row of its key.',
  options: {
    table: required(is.text, '`name` or `schema.name`; created if missing.'),
    columns: required(
      is.recordOf(is.text),
      'Fields to write and their Postgres types. A `timestamptz` takes a `Date` or milliseconds since 1970, a `jsonb` anything.',
    ),
    key: optional(
      is.listOf(is.text),
      'Key columns: a later row replaces the row with the same key (default: every value adds a row).',
    ),
    exactlyOnce: defaulted(
      is.flag,
      false,
      'Keeps the rows of an epoch in the checkpoint and writes them after it: readers see only rows of stored checkpoints.',
    ),
    pendingRowsMax: defaulted(is.integer(1), 100_000, 'With `exactlyOnce`: maximum number of rows in a checkpoint.'),
  },
});

/** Options of `postgres.tableSink`. */
export interface PostgresTableOptions<T> extends Omit<OptionsOf<typeof tableKind.options>, 'columns' | 'key'> {
  readonly columns: { readonly [K in keyof NoInfer<T> & string]?: string };
  readonly key?: readonly (keyof NoInfer<T> & string)[];
}

/** The driver's view of a table. */
export interface TableOptions {
  readonly table: string;
  readonly columns: Readonly<Record<string, string>>;
  readonly key: readonly string[];
}

const rowsKind = connectorKind({
  kind: 'postgres.tableLookup',
  role: 'lookup',
  doc: 'Looks up rows by a column, with one statement per batch of keys.',
  options: {
    table: required(is.text, '`name` or `schema.name`.'),
    key: required(is.text, 'The key column.'),
    keyType: defaulted(is.text, 'text', 'Its Postgres type.'),
    columns: required(is.listOf(is.text), 'Columns to read, in addition to the key.'),
    decode: optional(
      is.callback<(row: never) => unknown>('(row) => unknown'),
      'Converts a row to the value (default: the row). If it throws, the key is refused.',
    ),
  },
});

/** Options of `postgres.tableLookup`. */
export interface PostgresRowsOptions<V> extends Omit<OptionsOf<typeof rowsKind.options>, 'decode'> {
  readonly decode?: (row: never) => V;
}

/** As the driver sees it. */
export interface RowsOptions {
  readonly sql: string;
  readonly decode: ((row: unknown) => unknown) | undefined;
}

/** Under which a row of a lookup says which of the keys it is of, from 1. Texts of keys would not do: `007` is 7. */
export const ASKED = '_asked';

/** What `postgres` has, as data. */
export const kinds: readonly ConnectorKind[] = [tableKind, rowsKind];

/**
 * Tables of Postgres as outputs of a topology, and rows to look up: inert data, read by the profile that runs it. Nothing
 * here connects to anything; `openPostgres` in `./open.js` is where that happens.
 */
export const postgres = {
  /**
   * Writes every value as a row: one that adds to the table, or, with `key`, one that replaces the row of its key.
   *
   * Rows go in transactions that also move the task's fence: the last record whose row is in the table. What a replay repeats lies
   * before the fence and is passed over, so every value is written once. Rows are seen up to an epoch before their checkpoint;
   * with `exactlyOnce` after it.
   *
   * A value that its columns have no room for (the character NUL, a text for an integer, a time beyond the year 9999) goes to the
   * dead letters, reason `unrepresentable`. Enums, domains and other types of your own are left to the server, whose refusal ends the
   * run. Texts of times are ISO 8601.
   *
   * @example
   * orders.to('orders', postgres.tableSink({ table: 'orders', columns: { id: 'bigint', at: 'timestamptz', paid: 'boolean' }, key: ['id'] }));
   */
  tableSink<T>(options: PostgresTableOptions<T>): Sink<T> {
    const { table, key = [], exactlyOnce, pendingRowsMax } = resolve(tableKind, options);
    const columns = Object.freeze({ ...options.columns }) as TableOptions['columns'];
    return Object.freeze({
      connector: 'postgres',
      kind: tableKind.kind,
      settings: settingsOf(tableKind, options),
      problems: Object.freeze([...problemsOf(tableKind, options), ...namingProblems({ table, columns, key })]),
      options: Object.freeze({ table, columns, key: Object.freeze([...key]) } satisfies TableOptions),
      ...(exactlyOnce ? { deferred: Object.freeze({ rowsMax: pendingRowsMax }) } : {}),
    });
  },

  /**
   * Looks rows up by a column, all keys of a question in one statement. A key without a row is missing; where several rows have
   * one key, any of them is the answer. Integers of 64 bits come as texts.
   *
   * @example
   * lookup({ from: postgres.tableLookup<{ tier: string }>({ table: 'customers', key: 'id', keyType: 'bigint', columns: ['tier'] }), key: (p) => p.customer, as: 'customer' })
   */
  tableLookup<V = Readonly<Record<string, unknown>>>(options: PostgresRowsOptions<V>): Lookup<V> {
    const resolved = resolve(rowsKind, options);
    const problems = problemsOf(rowsKind, options);
    if (problems.length === 0) problems.push(...lookupProblems(resolved));
    const read: RowsOptions = {
      sql: problems.length > 0 ? '' : lookupSql(resolved),
      decode: resolved.decode as RowsOptions['decode'],
    };
    return Object.freeze({
      connector: 'postgres',
      kind: rowsKind.kind,
      settings: settingsOf(rowsKind, options),
      problems: Object.freeze(problems),
      options: Object.freeze(read),
    });
  },
} as const;

interface Rows {
  readonly table: string;
  readonly key: string;
  readonly keyType: string;
  readonly columns: readonly string[];
}

function lookupSql({ table, key, keyType, columns }: Rows): string {
  const names = [...new Set([key, ...columns])].map((name) => `found.${quoted(name)}`).join(', ');
  return (
    `SELECT DISTINCT ON (asked.n) asked.n::int AS ${ASKED}, ${names} ` +
    `FROM unnest($1::${keyType}[]) WITH ORDINALITY AS asked(key, n) ` +
    `JOIN ${quoted(table)} AS found ON found.${quoted(key)} = asked.key`
  );
}

/** The type stands in the statement as it is, so it must be one; names are quoted, and may be any. */
const lookupProblems = ({ keyType }: Rows): Problem[] =>
  isType(keyType)
    ? []
    : [{ message: `keyType is "${keyType}"`, hint: 'a Postgres type such as bigint, text or uuid; no arrays' }];

const isType = (text: string): boolean => /^[a-z][a-z0-9_ ]*(\([0-9, ]+\))?[a-z ]*$/i.test(text);

function namingProblems({ table, columns, key }: TableOptions): Problem[] {
  const names = [...table.split('.'), ...Object.keys(columns)];
  const misnamed = names.filter((name) => !isName(name));
  const strange = Object.entries(columns).filter(([, type]) => !isType(type));
  const unknown = key.filter((name) => !(name in columns));
  return [
    ...misnamed.map((name) => ({
      message: `'${name}' is no name for a table or column`,
      hint: 'letters, digits and underscores, not beginning with a digit',
    })),
    ...strange.map(([name, type]) => ({
      message: `column ${name} is "${type}"`,
      hint: 'a Postgres type such as bigint, text, timestamptz, numeric(12, 2) or jsonb; no arrays',
    })),
    ...unknown.map((name) => ({ message: `the key has ${name}, which is no column`, hint: 'write it too' })),
    ...(Object.keys(columns).length === 0 ? [{ message: 'no columns', hint: "columns: { id: 'bigint' }" }] : []),
  ];
}
