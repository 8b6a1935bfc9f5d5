import { hash } from 'node:crypto';
import type { Isolation, LookupKind, SinkKind } from '../../src/core/kind.js';
import * as is from '../../src/core/option-types.js';
import { defaulted, optional, required } from '../../src/core/options.js';

// Every kind of sink and lookup of Postgres, with all options.

/** Postgres truncates longer names. Names of a verification begin with 26 letters and end in the number of a task. */
const NAME_MAX = 30;

/** In the schema of the original table. */
function isolatedTable({ table }: TableOptions, { id, run }: Isolation): string {
  const [name = '', ...schema] = table.split('.').reverse();
  const short = name.length > NAME_MAX ? `${name.slice(0, 21)}_${hash('sha1', name).slice(0, 8)}` : name;
  return [...schema.reverse(), `${id.replaceAll('-', '_')}_${run}_${short}`].join('.');
}

export const tableKind = {
  role: 'sink',
  writes: 'idempotent',
  verify: {
    called: ({ table }: TableOptions) => table,
    isolate: (options: TableOptions, isolation) => ({ ...options, table: isolatedTable(options, isolation) }),
    isolateTask: (options: TableOptions, _place, task) => ({ ...options, table: `${options.table}_${task}` }),
  },
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
    pendingBytesMax: defaulted(is.integer(1), 64 * 2 ** 20, 'The same as bytes, approximately.'),
  },
} satisfies SinkKind;

export const rowsKind = {
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
} satisfies LookupKind;

/** The options of a table as the driver gets them. */
export interface TableOptions {
  readonly table: string;
  readonly columns: Readonly<Record<string, string>>;
  readonly key: readonly string[];
}

/** The options of a lookup as the driver gets them. */
export interface RowsOptions {
  readonly sql: string;
  readonly decode: ((row: unknown) => unknown) | undefined;
}

/** The column of a lookup's rows with the number of the key, from 1. The text of the key would not do: `007` is 7. */
export const ASKED = '_asked';
