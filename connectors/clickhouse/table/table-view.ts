import type { Duration } from '../../../src/core/duration.js';
import type { Problem } from '../../../src/core/operator.js';
import type { TableView } from './options.js';

/** A view beside a table: a query that reads the rows of the table without duplicates. */
export interface ClickHouseViewOptions {
  readonly name: string;
  /** A `SELECT`, from the name of the sink's table: it is read without duplicates. */
  readonly as: string;
  /** How often the result is computed and stored as a whole; where it is left out, the query runs when somebody reads. */
  readonly every?: Duration;
  /** What the stored result is sorted by. */
  readonly orderBy?: readonly string[];
}

/** A query that is kept beside a table: inert data. */
export const tableView = {
  make: ({ name, as, every, orderBy = [] }: ClickHouseViewOptions): TableView =>
    Object.freeze({ name, as: as.trim().replace(/;\s*$/, ''), every, orderBy: Object.freeze([...orderBy]) }),

  is: (value: unknown): value is TableView =>
    typeof value === 'object' && value !== null && typeof (value as Partial<TableView>).as === 'string',
} as const;

/** A view that reads what is stored would count rows that were written again. */
export const viewProblems = ({ name, as, every }: TableView, table: string): readonly Problem[] => [
  ...(new RegExp(`\\b${table}_rows\\b`).test(as)
    ? [
        {
          message: `view ${name} reads ${table}_rows, where a row may stand more than once`,
          hint: `read ${table}: a query, and a result that is stored every so often, see each row once`,
        },
      ]
    : []),
  ...(every !== undefined && !(every >= 1_000)
    ? [{ message: `view ${name} is stored every ${every} ms`, hint: 'give a second or more' }]
    : []),
];
