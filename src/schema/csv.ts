import type { Schema } from '../core/schema.js';

interface ColumnTypes {
  readonly text: string;
  /** Any finite number, as JavaScript writes it. */
  readonly number: number;
  /** A whole number below 2^53. */
  readonly integer: number;
  readonly bigint: bigint;
  readonly boolean: boolean;
  /** A point in time in ISO 8601 with its zone. */
  readonly date: Date;
}

type ColumnName = keyof ColumnTypes;
/** What a column holds; with `?` it may be empty, which is `null`. */
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
  /** The columns in their order, and what each holds. */
  readonly columns: C;
  /** One character; a comma by default. */
  readonly delimiter?: string;
  /** Payloads of more bytes are refused as `too-large`; 16 MiB by default. */
  readonly bytesMax?: number;
}

/**
 * One row of comma-separated values a payload, quoted as RFC 4180 has it, without a header line; the type of the values
 * follows from the columns. A line end after the row is ignored, and none is written.
 *
 * An empty cell of a `text` column is the empty text; of `text?` it is `null`, and the empty text is written as `""`.
 *
 * @example
 * const Readings = csv({ subject: 'readings-value', columns: { sensor: 'text', at: 'date', celsius: 'number?' } });
 * // Schema<{ sensor: string; at: Date; celsius: number | null }>
 */
export function csv<const C extends Readonly<Record<string, CsvColumn>>>(options: CsvOptions<C>): Schema<CsvRow<C>> {
  const { subject, columns, delimiter, bytesMax } = options;
  return Object.freeze({
    format: 'csv',
    subject: subject ?? 'csv',
    definition: undefined,
    options: Object.freeze({ columns: Object.freeze({ ...columns }), delimiter: delimiter ?? ',', bytesMax }),
  });
}
