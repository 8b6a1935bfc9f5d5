import { lookupOf, sinkOf } from '../../src/connect/make.js';
import type { Lookup } from '../../src/core/lookup.js';
import type { Problem } from '../../src/core/operator.js';
import { type OptionsOf, problemsOf, resolve } from '../../src/core/options.js';
import type { Sink } from '../../src/core/sink.js';
import { definition } from './definition.js';
import type { RowsOptions, TableOptions } from './kinds.js';
import { ASKED, rowsKind, tableKind } from './kinds.js';
import { isName, quoted } from './names.js';

/** Options of `postgres.tableSink`. */
export interface PostgresTableOptions<T> extends Omit<OptionsOf<typeof tableKind.options>, 'columns' | 'key'> {
  readonly columns: { readonly [K in keyof NoInfer<T> & string]?: string };
  readonly key?: readonly (keyof NoInfer<T> & string)[];
}

/** Options of `postgres.tableLookup`. */
export interface PostgresRowsOptions<V> extends Omit<OptionsOf<typeof rowsKind.options>, 'decode'> {
  readonly decode?: (row: never) => V;
}

/**
 * Tables of Postgres as outputs of a topology and as lookups, as inert data. Nothing here connects; `openPostgres` in `./open.js`
 * does.
 */
export const postgres = {
  /**
   * Writes every value as a row: a new one, or with `key` one that replaces the row of its key.
   *
   * Rows are written in transactions that also move the task's fence, the last record whose row is in the table. A replay skips
   * records up to the fence, so every value is written once. Rows become visible up to an epoch before their checkpoint; with
   * `exactlyOnce`, after it.
   *
   * A value that its columns cannot store (the character NUL, a text for an integer, a time beyond the year 9999) goes to the dead
   * letters with the reason `unrepresentable`. Enums, domains and other types of your own are checked by the server only; if it
   * refuses a row, the run ends. Times as text are ISO 8601.
   *
   * @example
   * orders.to('orders', postgres.tableSink({ table: 'orders', columns: { id: 'bigint', at: 'timestamptz', paid: 'boolean' }, key: ['id'] }));
   */
  tableSink<T>(options: PostgresTableOptions<T>): Sink<T> {
    const { table, key = [], exactlyOnce, pendingRowsMax, pendingBytesMax } = resolve(tableKind, options);
    const columns = Object.freeze({ ...options.columns }) as TableOptions['columns'];
    return sinkOf(definition.kinds.tableSink, options, {
      problems: namingProblems({ table, columns, key }),
      options: { table, columns, key: Object.freeze([...key]) } satisfies TableOptions,
      ...(exactlyOnce ? { deferred: Object.freeze({ rowsMax: pendingRowsMax, bytesMax: pendingBytesMax }) } : {}),
    });
  },

  /**
   * Looks up rows by a column, all keys of a request in one statement. A key without a row is missing; if several rows have one
   * key, any of them is the answer. 64-bit integers are returned as text.
   *
   * @example
   * lookup({ from: postgres.tableLookup<{ tier: string }>({ table: 'customers', key: 'id', keyType: 'bigint', columns: ['tier'] }), key: (p) => p.customer, as: 'customer' })
   */
  tableLookup<V = Readonly<Record<string, unknown>>>(options: PostgresRowsOptions<V>): Lookup<V> {
    const resolved = resolve(rowsKind, options);
    const isRead = problemsOf(rowsKind, options).length === 0;
    const problems = isRead ? lookupProblems(resolved) : [];
    const read: RowsOptions = {
      sql: isRead && problems.length === 0 ? lookupSql(resolved) : '',
      decode: resolved.decode as RowsOptions['decode'],
    };
    return lookupOf(definition.kinds.tableLookup, options, {
      problems,
      options: read,
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

/** The type is part of the statement, so its form is checked; names are quoted and may be anything. */
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
      message: `'${name}' is not a valid name for a table or column`,
      hint: 'letters, digits and underscores, not beginning with a digit',
    })),
    ...strange.map(([name, type]) => ({
      message: `column ${name} is "${type}"`,
      hint: 'a Postgres type such as bigint, text, timestamptz, numeric(12, 2) or jsonb; no arrays',
    })),
    ...unknown.map((name) => ({
      message: `the key has ${name}, which is not a column`,
      hint: 'add it to the columns',
    })),
    ...(Object.keys(columns).length === 0 ? [{ message: 'no columns', hint: "columns: { id: 'bigint' }" }] : []),
  ];
}
