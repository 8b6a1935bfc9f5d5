import type { Duration } from '../../../src/core/duration.js';
import type { Problem } from '../../../src/core/operator.js';
import type { TableView } from './options.js';

/** A view over a table: a query that reads the table's rows without duplicates. */
export interface ClickHouseViewOptions {
  readonly name: string;
  /** A `SELECT` from the name of the sink's table, which is read without duplicates. */
  readonly as: string;
  /** How often the whole result is computed and stored; if missing, the query runs at each read. */
  readonly every?: Duration;
  /** The sorting key of the stored result. */
  readonly orderBy?: readonly string[];
}

/** A named query over a table, as inert data. */
export const tableView = {
  make: ({ name, as, every, orderBy = [] }: ClickHouseViewOptions): TableView =>
    Object.freeze({ name, as: as.trim().replace(/;\s*$/, ''), every, orderBy: Object.freeze([...orderBy]) }),

  is: (value: unknown): value is TableView =>
    typeof value === 'object' && value !== null && typeof (value as Partial<TableView>).as === 'string',
} as const;

/** A view over the stored rows would count repeated rows twice. */
export const viewProblems = ({ name, as, every }: TableView, table: string): readonly Problem[] => [
  ...(new RegExp(`\\b${table}_rows\\b`).test(as)
    ? [
        {
          message: `view ${name} reads ${table}_rows, where a row may be stored more than once`,
          hint: `read ${table}, which shows each row once`,
        },
      ]
    : []),
  ...(every !== undefined && !(every >= 1_000)
    ? [{ message: `view ${name} is stored every ${every} ms`, hint: 'give a second or more' }]
    : []),
];
