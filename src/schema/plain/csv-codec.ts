import { MillraceError } from '../../core/errors.js';
import { generate, literal } from '../bytes/shapes.js';
import type { CsvColumn } from '../csv.js';
import { DecodeFailure } from '../decode-failure.js';
import { valueMisfit } from '../value-misfit.js';
import { nothingToPrepare, type WireCodec } from '../wire-codec.js';
import { type Cell, cellOf, splitRow } from './csv-cells.js';
import { textOf } from './utf8.js';

interface Kind {
  /** The value of a cell; `undefined` where it is none of this kind. */
  read(text: string): unknown;
  /** The cell of a value; `undefined` where it is none of this kind. */
  write(value: unknown): string | undefined;
}

const kinds: Readonly<Record<string, Kind>> = {
  text: { read: (text) => text, write: (value) => (typeof value === 'string' ? value : undefined) },
  number: {
    read: (text) => (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? finite(Number(text)) : undefined),
    write: (value) => (typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined),
  },
  integer: {
    read: (text) => (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined),
    write: (value) => (Number.isSafeInteger(value) ? String(value) : undefined),
  },
  bigint: {
    read: (text) => (/^-?\d{1,1000}$/.test(text) ? BigInt(text) : undefined),
    write: (value) => (typeof value === 'bigint' ? String(value) : undefined),
  },
  boolean: {
    read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
    write: (value) => (typeof value === 'boolean' ? String(value) : undefined),
  },
  date: {
    // With its zone: a time without one depends on where it is read.
    read: (text) =>
      /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/.test(text) ? valid(new Date(text)) : undefined,
    write: (value) => (value instanceof Date && valid(value) ? value.toISOString() : undefined),
  },
};

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);
const valid = (date: Date): Date | undefined => (Number.isNaN(date.getTime()) ? undefined : date);

interface Column {
  readonly name: string;
  readonly type: CsvColumn;
  readonly optional: boolean;
  readonly kind: Kind;
}

/** The codec of `csv()`. */
export function csvCodec<T>(
  subject: string,
  types: Readonly<Record<string, CsvColumn>>,
  delimiter: string,
): WireCodec<T> {
  const columns = Object.entries(types).map(([name, type]) => columnOf(name, type, subject));
  if (columns.length === 0 || delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    throw new MillraceError('config', 'csv() needs at least one column and a delimiter of one character', {
      where: subject,
      hint: "csv({ columns: { sensor: 'text', celsius: 'number?' }, delimiter: ';' })",
      lasting: true,
    });
  }
  const rowOf = generate<(cells: readonly unknown[]) => T>(
    {},
    `(cells) => (${literal(columns.map(({ name }, i) => [name, `cells[${i}]`]))})`,
  );
  const row: unknown[] = [];
  return {
    encode(value) {
      let text = '';
      for (let i = 0; i < columns.length; i++) {
        const cell = writeCell(columns[i] as Column, value, delimiter, subject);
        text = i === 0 ? cell : text + delimiter + cell;
      }
      return Buffer.from(text);
    },
    decode(bytes) {
      const text = textOf(bytes);
      if (text === undefined) throw new DecodeFailure('not-utf8', 'not text in UTF-8');
      const cells = splitRow(text, delimiter);
      if (cells.length !== columns.length) {
        throw new DecodeFailure('not-csv', `${cells.length} cells where ${columns.length} columns are declared`);
      }
      for (let i = 0; i < columns.length; i++) row[i] = readCell(columns[i] as Column, cells[i] as Cell | string);
      return rowOf(row);
    },
    prepare: nothingToPrepare,
  };
}

function columnOf(name: string, type: CsvColumn, subject: string): Column {
  const optional = type.endsWith('?');
  const kind = kinds[optional ? type.slice(0, -1) : type];
  if (kind !== undefined) return { name, type, optional, kind };
  throw new MillraceError('config', `column ${name} is "${type}", which is no type of a column`, {
    where: subject,
    hint: `one of ${Object.keys(kinds).join(', ')}; with a ? after it where cells may be empty`,
    lasting: true,
  });
}

function readCell({ name, type, optional, kind }: Column, cell: Cell | string): unknown {
  if (optional && cell === '') return null;
  const text = typeof cell === 'string' ? cell : cell.text;
  const value = kind.read(text);
  if (value !== undefined) return value;
  const shown = text.length > 40 ? `${text.slice(0, 37)}...` : text;
  throw new DecodeFailure('not-csv', `column ${name}: ${JSON.stringify(shown)} is no ${type}`);
}

function writeCell({ name, type, optional, kind }: Column, row: unknown, delimiter: string, subject: string): string {
  const value = (row as Readonly<Record<string, unknown>> | null)?.[name];
  if (optional && (value === null || value === undefined)) return '';
  const text = kind.write(value);
  if (text !== undefined) return cellOf(text, delimiter, optional);
  const hint = 'emit rows with a value of the right type for every column';
  throw valueMisfit(`column ${name}: a ${typeof value} is no ${type}`, subject, hint);
}
