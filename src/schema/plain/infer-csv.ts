import { MillraceError } from '../../core/errors.js';
import type { CsvColumn } from '../csv.js';
import { type DateOrder, isWrittenDate, orderOf, writtenDate } from './dates.js';

export interface InferredCsv {
  readonly header: boolean;
  readonly columns: Readonly<Record<string, CsvColumn>>;
  /** The decimal comma, where numbers have it. */
  readonly decimal?: ',';
  /** How dates are written, where that is not in ISO 8601. */
  readonly dates?: WrittenDates;
  /** What missing values are written as, where that is not the empty cell alone. */
  readonly nullLiteral?: string;
}

/** Dates as people write them, in one of the columns. */
export interface WrittenDates {
  readonly column: string;
  readonly cell: string;
  /** Whether the day or the month comes first; `undefined` where the rows do not tell. The columns are then texts. */
  readonly order: DateOrder | undefined;
}

/** What is known of a file before its rows are looked at. */
export interface KnownCsv {
  /** Where it is a comma, numbers have no decimal comma: `1,234` in quotes is more than a thousand. */
  readonly delimiter?: string | undefined;
  readonly header?: boolean | undefined;
  readonly dates?: DateOrder | undefined;
}

const delimiters = [',', ';', '\t', '|'];

/** The delimiter that splits a line into the most cells. */
export function delimiterOf(line: string): string {
  const cellsBy = (delimiter: string) => line.split(delimiter).length;
  return delimiters.reduce((best, next) => (cellsBy(next) > cellsBy(best) ? next : best));
}

/** Types, the narrowest first. A column gets the first one that all of its cells fit. */
const kinds = [
  ['boolean', /^(true|false)$/],
  ['number', /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i],
  ['date', /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/],
] as const;

const isNumber = (cell: string): boolean => kinds[1][1].test(cell);
const isDate = (cell: string): boolean => kinds[2][1].test(cell);

/** Numbers that are identifiers: with a leading zero, or with more digits than a number holds exactly. */
const isCode = (cell: string): boolean =>
  /^0\d/.test(cell) || (/^[+-]?\d+$/.test(cell) && !Number.isSafeInteger(Number(cell)));

/**
 * Infers the columns of a CSV file from the cells of its first rows: whether there is a header (if it is not given), the narrowest
 * type of each column, the decimal comma, and how dates are written.
 *
 * @throws MillraceError `config` if a column of the header has no name, or the same name as another one.
 */
export function inferCsv(rows: readonly (readonly string[])[], where: string, known: KnownCsv = {}): InferredCsv {
  const [first = [], ...others] = rows;
  const header = known.header ?? isHeader(first);
  const names = header ? namesOf(first, where) : first.map((_, i) => `c${i + 1}`);
  const values = header ? others : rows;
  const nullLiteral = nullLiteralOf(names.map((_, i) => values.map((row) => row[i] ?? '')));
  const cellIn = (row: readonly string[], i: number) => (row[i] === nullLiteral ? '' : (row[i] ?? ''));
  const columns = names.map((name, i) => ({ name, cells: values.map((row) => cellIn(row, i)) }));
  const filled = columns.map(({ name, cells }) => ({ name, cells: cells.filter((cell) => cell !== '') }));
  const decimal = known.delimiter === ',' ? undefined : decimalOf(filled.map(({ cells }) => cells));
  const dates = datesIn(filled, known.dates);
  const types = columns.map(({ name, cells }) => [name, columnOf(cells, decimal, dates?.order !== undefined)]);
  return {
    ...{ header, columns: Object.fromEntries(types) },
    ...(decimal && { decimal }),
    ...(dates && { dates }),
    ...(nullLiteral && { nullLiteral }),
  };
}

/** What programs for statistics, spreadsheets and databases write where a value is missing. */
const nullLiterals = ['NA', 'N/A', 'n/a', 'NaN', 'nan', 'NULL', 'null', 'None', '-', '?'];

/** The one without which some column has only numbers, or only dates. */
const nullLiteralOf = (columns: readonly (readonly string[])[]): string | undefined =>
  nullLiterals.find((literal) =>
    columns.some((cells) => {
      const others = cells.filter((cell) => cell !== '' && cell !== literal);
      const are = (is: (cell: string) => boolean) => others.length > 0 && others.every(is);
      const areValues =
        are((cell) => PERHAPS_WITH_COMMA.test(cell) || isNumber(cell)) || are(isDate) || are(isWrittenDate);
      return areValues && cells.includes(literal);
    }),
  );

const WITH_COMMA = /^[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+$/;
const PERHAPS_WITH_COMMA = /^[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?$/;

/** A comma, if all numbers of some column can be read with it, and no column has numbers that only a point explains. */
function decimalOf(columns: readonly (readonly string[])[]): ',' | undefined {
  const numbers = columns.filter(
    (cells) => cells.length > 0 && cells.every((cell) => PERHAPS_WITH_COMMA.test(cell) || isNumber(cell)),
  );
  const withComma = numbers.some((cells) => cells.some((cell) => WITH_COMMA.test(cell)));
  return withComma && numbers.every((cells) => cells.every((cell) => PERHAPS_WITH_COMMA.test(cell))) ? ',' : undefined;
}

function datesIn(
  columns: readonly { readonly name: string; readonly cells: readonly string[] }[],
  known: DateOrder | undefined,
): WrittenDates | undefined {
  const written = columns.filter(({ cells }) => cells.length > 0 && cells.every(isWrittenDate));
  const [first] = written;
  if (first === undefined) return undefined;
  const timeOf = (text: string, order: DateOrder) => writtenDate(text, order)?.getTime();
  // One that shows what the order is.
  const cell = first.cells.find((each) => timeOf(each, 'dmy') !== timeOf(each, 'mdy')) ?? (first.cells[0] as string);
  return { column: first.name, cell, order: known ?? orderOf(written.flatMap(({ cells }) => cells)) };
}

function isHeader(cells: readonly string[]): boolean {
  const filled = cells.filter((cell) => cell.trim() !== '');
  return filled.length > 0 && filled.every((cell) => kinds.every(([, pattern]) => !pattern.test(cell)));
}

function namesOf(header: readonly string[], where: string): readonly string[] {
  const names = header.map((cell) => cell.trim());
  const at = names.findIndex((name, i) => name === '' || names.indexOf(name) < i);
  if (at < 0) return names;
  const trouble = names[at] === '' ? 'has no name' : `is called ${names[at]}, as another one is`;
  throw new MillraceError('config', `column ${at + 1} of the header ${trouble}`, {
    where,
    hint: 'give each column a unique name in the first line; if that line is not a header, `init` takes --no-header, and `evaluate` needs one',
  });
}

function columnOf(cells: readonly string[], decimal: ',' | undefined, hasOrder: boolean): CsvColumn {
  const filled = cells.filter((cell) => cell !== '');
  const fits = (is: (cell: string) => boolean) => filled.length > 0 && filled.every(is);
  const plain = kinds.find(([, pattern]) => fits((cell) => pattern.test(cell) && !isCode(cell)))?.[0];
  const isWithComma = decimal !== undefined && fits((cell) => PERHAPS_WITH_COMMA.test(cell) && !isCode(cell));
  const kind = isWithComma ? 'number' : (plain ?? (hasOrder && fits(isWrittenDate) ? 'date' : 'text'));
  return filled.length < cells.length ? `${kind}?` : kind;
}
