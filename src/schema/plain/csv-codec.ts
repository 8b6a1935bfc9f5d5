import { MillraceError } from '../../core/errors.js';
import { generate, literal } from '../bytes/shapes.js';
import type { CsvColumn } from '../csv.js';
import { DecodeFailure, unrepresentableValue } from '../failures.js';
import { nothingToPrepare, type WireCodec } from '../wire-codec.js';
import { type Cell, cellOf, plainCells, splitRow } from './csv-cells.js';
import { type DateOrder, writtenDate } from './dates.js';
import { textOf } from './utf8.js';

interface Kind {
  /** The value of a cell; `undefined` if it has another type. */
  readonly read: (text: string) => unknown;
  /** The cell of a value; `undefined` if it has another type. */
  readonly write: (value: unknown) => string | undefined;
}

type Kinds = Readonly<Record<string, Kind>>;

const usual = {
  text: {
    read: (text) => text,
    write: (value) => (typeof value === 'string' && value.isWellFormed() ? value : undefined),
  },
  number: {
    read: numberOf,
    write: (value) =>
      typeof value === 'number' && Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : undefined,
  },
  integer: {
    read: (text) => (isWhole(text) ? safe(Number(text)) : undefined),
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
    // With a zone, because a time without one depends on the reader.
    read: (text: string) =>
      /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/.test(text) && isDay(text.slice(0, 10))
        ? valid(new Date(text))
        : undefined,
    write: (value) => {
      const text = value instanceof Date && valid(value) ? value.toISOString() : undefined;
      return text?.length === DATE_LENGTH ? text : undefined; // years of more digits are not read either
    },
  },
} satisfies Kinds;

/** The kinds of columns where numbers and dates are written as in the form. */
function kindsOf({ decimal, dates }: CsvForm): Kinds {
  const { number, date } = usual;
  return {
    ...usual,
    ...(decimal === ',' && {
      number: {
        read: (text: string) => numberOf(withPoint(text)),
        write: (value: unknown) => number.write(value)?.replace('.', ','),
      },
    }),
    ...(dates !== undefined && {
      date: { ...date, read: (text: string) => date.read(text) ?? writtenDate(text, dates) },
    }),
  };
}

/** A number with a decimal comma as one with a point; the empty text, which is no number, where a point is not between groups. */
function withPoint(text: string): string {
  if (!text.includes('.')) return text.replace(',', '.');
  return /^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$/.test(text) ? text.replaceAll('.', '').replace(',', '.') : '';
}

const DATE_LENGTH = '2000-01-01T00:00:00.000Z'.length;

/** A mantissa with this many digits is below 2^53. */
const DIGITS_MAX = 15;
const POWERS = Array.from({ length: DIGITS_MAX + 1 }, (_, i) => 10 ** i);

/**
 * A decimal of few digits is a whole number through a power of ten: both are exact, so the quotient is the nearest double, as
 * `Number` has it, in a third of its time (Clinger, "How to Read Floating Point Numbers Accurately", 1990).
 */
function numberOf(text: string): number | undefined {
  const first = text.charCodeAt(0);
  let mantissa = 0;
  let digits = 0;
  let decimals = -1;
  for (let i = first === 0x2d || first === 0x2b ? 1 : 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits += 1;
      if (decimals >= 0) decimals += 1;
    } else if (digit === -2 && decimals < 0) decimals = 0;
    else return isNumeric(text) ? finite(Number(text)) : undefined;
  }
  if (digits === 0) return undefined;
  if (digits > DIGITS_MAX) return finite(Number(text)); // the loop has seen all of it
  const value = decimals > 0 ? mantissa / (POWERS[decimals] as number) : mantissa;
  return first === 0x2d ? -value : value;
}

/** A text with only the characters of numbers, because `Number` also accepts blanks, hexadecimals and the empty text. */
function isNumeric(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const isPart =
      (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x2d || code === 0x2b || (code | 0x20) === 0x65;
    if (!isPart) return false;
  }
  return text !== '';
}

/** Digits with an optional sign. */
function isWhole(text: string): boolean {
  const first = text.charCodeAt(0);
  const from = first === 0x2d || first === 0x2b ? 1 : 0;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text.length > from;
}

const safe = (value: number): number | undefined => (Number.isSafeInteger(value) ? value : undefined);
const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);
/** Whether a month has that day: JavaScript accepts the 30th of February as the 1st of March. */
const isDay = (date: string): boolean => {
  const day = Number(date.slice(8));
  return day <= 28 || new Date(date).getUTCDate() === day;
};

const valid = (date: Date): Date | undefined => (Number.isNaN(date.getTime()) ? undefined : date);

interface Column {
  readonly name: string;
  readonly type: CsvColumn;
  readonly optional: boolean;
  readonly kind: Kind;
}

/** What `csv()` says of its rows. */
export interface CsvForm {
  readonly columns: Readonly<Record<string, CsvColumn>>;
  readonly delimiter: string;
  readonly decimal?: '.' | ',';
  readonly dates?: DateOrder;
  readonly nullLiteral?: string;
}

/** The codec of `csv()`. */
export function csvCodec<T>(subject: string, form: CsvForm): WireCodec<T> {
  const { delimiter, nullLiteral = '' } = form;
  const known = kindsOf(form);
  const columns = Object.entries(form.columns).map(([name, type]) => columnOf(name, type, known, subject));
  if (columns.length === 0 || delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    throw new MillraceError('config', 'csv() needs at least one column and a delimiter of one character', {
      where: subject,
      hint: "csv({ columns: { sensor: 'text', celsius: 'number?' }, delimiter: ';' })",
      permanent: true,
    });
  }
  if (/["\r\n]/.test(nullLiteral) || nullLiteral.includes(delimiter)) {
    throw new MillraceError('config', 'the nullLiteral of csv() would need quotes', {
      where: subject,
      hint: "give a text without delimiter, quotes and line ends, such as 'NA'",
      permanent: true,
    });
  }
  const read = readRow<T>(columns, nullLiteral);
  const write = writeRow(columns, form, subject);
  return {
    encode: (value) => Buffer.from(write(value)),
    textOf: write,
    decode(bytes) {
      const cells = cellsOf(bytes, delimiter);
      if (cells.length !== columns.length) {
        throw new DecodeFailure('not-csv', countText(cells.length, columns.length, bytes, delimiter));
      }
      return read(cells);
    },
    prepare: nothingToPrepare,
  };
}

/** Most rows with too few cells are separated by something else. */
function countText(cells: number, columns: number, bytes: Uint8Array, delimiter: string): string {
  const text = `${cells} ${cells === 1 ? 'cell' : 'cells'} where ${columns} columns are declared`;
  const row = Buffer.from(bytes).toString();
  const other = [';', '\t', '|', ','].find((each) => each !== delimiter && row.split(each).length === columns);
  return other === undefined ? text : `${text}: with the option delimiter: ${JSON.stringify(other)} there are as many`;
}

function cellsOf(bytes: Uint8Array, delimiter: string): (Cell | string)[] {
  const plain = plainCells(bytes, delimiter.charCodeAt(0));
  if (plain !== undefined) return plain;
  const text = textOf(bytes);
  if (text === undefined) throw new DecodeFailure('not-utf8', 'not text in UTF-8');
  return splitRow(text, delimiter);
}

/** Compiles a function from cells to a value: one object literal, with a function per column. */
function readRow<T>(columns: readonly Column[], nullLiteral: string): (cells: readonly (Cell | string)[]) => T {
  const parts = Object.fromEntries(columns.map((column, i) => [`c${i}`, readCell(column, nullLiteral)]));
  return generate(parts, `(cells) => (${literal(columns.map(({ name }, i) => [name, `c${i}(cells[${i}])`]))})`);
}

function writeRow(columns: readonly Column[], form: CsvForm, subject: string): (row: unknown) => string {
  const { delimiter } = form;
  const parts = Object.fromEntries(columns.map((column, i) => [`c${i}`, writeCell(column, form, subject)]));
  const cells = columns.map(({ name }, i) => `c${i}(row?.[${JSON.stringify(name)}])`);
  return generate(parts, `(row) => ${cells.join(` + ${JSON.stringify(delimiter)} + `)}`);
}

function columnOf(name: string, type: CsvColumn, kinds: Kinds, subject: string): Column {
  const optional = type.endsWith('?');
  const kind = kinds[optional ? type.slice(0, -1) : type];
  if (kind !== undefined) return { name, type, optional, kind };
  throw new MillraceError('config', `column ${name} is "${type}", which is not a column type`, {
    where: subject,
    hint: `one of ${Object.keys(kinds).join(', ')}; with a ? after it if cells may be empty`,
    permanent: true,
  });
}

function readCell({ name, type, optional, kind }: Column, nullLiteral: string): (cell: Cell | string) => unknown {
  if (type === 'text') return (cell) => (typeof cell === 'string' ? cell : cell.text);
  const { read } = kind;
  return (cell) => {
    if (optional && (cell === '' || cell === nullLiteral)) return null;
    const text = typeof cell === 'string' ? cell : cell.text;
    const value = read(text);
    if (value !== undefined) return value;
    const shown = text.length > 40 ? `${text.slice(0, 37)}...` : text;
    const advice = text === name ? ': if this line is a header, give the source `header: true`' : '';
    throw new DecodeFailure('not-csv', `column ${name}: ${JSON.stringify(shown)} is no ${type}${advice}`);
  };
}

function writeCell({ name, type, optional, kind }: Column, form: CsvForm, subject: string) {
  const { delimiter, decimal, nullLiteral = '' } = form;
  // Numbers and times never contain a character that needs quotes.
  const { write } = kind;
  const isBare = !type.startsWith('text') && !/[\w.+:-]/.test(delimiter) && delimiter !== decimal;
  return (value: unknown): string => {
    if (optional && (value === null || value === undefined)) return nullLiteral;
    const text = write(value);
    if (optional && text === nullLiteral) return `"${text}"`;
    if (text !== undefined) return isBare ? text : cellOf(text, delimiter, optional);
    const hint = 'emit rows with a value of the right type for every column';
    throw unrepresentableValue(`column ${name}: a ${typeof value} is no ${type}`, subject, hint);
  };
}
