import type { Schema } from '../core/schema.js';
import type { DateOrder } from './plain/dates.js';

interface ColumnTypes {
  readonly text: string;
  /** Any finite number, as JavaScript writes it. */
  readonly number: number;
  /** A whole number below 2^53. */
  readonly integer: number;
  readonly bigint: bigint;
  readonly boolean: boolean;
  /** A point in time in ISO 8601 with its zone, or as `dates` says. */
  readonly date: Date;
}

type ColumnName = keyof ColumnTypes;
/** The type of a column. With `?` a cell may be empty, which is `null`. */
export type CsvColumn = ColumnName | `${ColumnName}?`;

type ColumnValue<C> = C extends `${infer N extends ColumnName}?`
  ? ColumnTypes[N] | null
  : C extends ColumnName
    ? ColumnTypes[C]
    : never;

/** A row of columns. */
export type CsvRow<C extends Readonly<Record<string, CsvColumn>>> = { readonly [K in keyof C]: ColumnValue<C[K]> };

export interface CsvOptions<C extends Readonly<Record<string, CsvColumn>>> {
  readonly subject?: string;
  /** The columns in their order, each with its type. */
  readonly columns: C;
  /** One character; a comma by default. */
  readonly delimiter?: string;
  /** What stands before the fraction of a number; a point by default. With a comma, points may group the digits: 1.234,56. */
  readonly decimal?: '.' | ',';
  /**
   * Reads dates such as 31.12.2026, 12/31/2026 11:59 PM or 31-12-2026 too, in UTC: `dmy` has the day first, `mdy` the month. By default
   * dates are in ISO 8601 only. Dates are always written in ISO 8601.
   */
  readonly dates?: DateOrder;
  /** What a missing value is written as, such as `NA`, beside an empty cell: `null` of a column with `?`, unless it is quoted. */
  readonly nullLiteral?: string;
  /** Payloads of more bytes are refused as `too-large`; 16 MiB by default. */
  readonly bytesMax?: number;
}

/**
 * Comma-separated values: each payload is one row, quoted by RFC 4180, without a header line. The type of the values follows from
 * the columns. A line end after the row is ignored, and none is written.
 *
 * An empty cell of a `text` column is the empty text. An empty cell of `text?` is `null`; the empty text is written as `""`.
 *
 * A payload that is not such a row becomes a dead letter (`not-csv`, `not-utf8`). Memory: one row.
 *
 * @example
 * const Readings = csv({ subject: 'readings-value', columns: { sensor: 'text', at: 'date', celsius: 'number?' } });
 * // Schema<{ sensor: string; at: Date; celsius: number | null }>
 */
export function csv<const C extends Readonly<Record<string, CsvColumn>>>(options: CsvOptions<C>): Schema<CsvRow<C>> {
  const { subject, columns, delimiter, decimal, dates, nullLiteral, bytesMax } = options;
  return Object.freeze({
    format: 'csv',
    subject: subject ?? 'csv',
    definition: undefined,
    options: Object.freeze({
      columns: Object.freeze({ ...columns }),
      delimiter: delimiter ?? ',',
      ...(decimal && { decimal }),
      ...(dates && { dates }),
      ...(nullLiteral && { nullLiteral }),
      bytesMax,
    }),
  });
}
