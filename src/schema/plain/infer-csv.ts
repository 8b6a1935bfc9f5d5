import { MillraceError } from '../../core/errors.js';
import type { CsvColumn } from '../csv.js';

export interface InferredCsv {
  readonly header: boolean;
  readonly columns: Readonly<Record<string, CsvColumn>>;
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

/** Numbers that are identifiers: with a leading zero, or with more digits than a number holds exactly. */
const isCode = (cell: string): boolean =>
  /^0\d/.test(cell) || (/^[+-]?\d+$/.test(cell) && !Number.isSafeInteger(Number(cell)));

/**
 * Infers the columns of a CSV file from the cells of its first rows: whether there is a header (if it is not given), and the narrowest
 * type of each column.
 *
 * @throws MillraceError `config` if a column of the header has no name, or the same name as another one.
 */
export function inferCsv(
  rows: readonly (readonly string[])[],
  where: string,
  known: boolean | undefined = undefined,
): InferredCsv {
  const [first = [], ...others] = rows;
  const header = known ?? isHeader(first);
  const names = header ? namesOf(first, where) : first.map((_, i) => `c${i + 1}`);
  const values = header ? others : rows;
  const columns = names.map((name, i): [string, CsvColumn] => [name, columnOf(values.map((row) => row[i] ?? ''))]);
  return { header, columns: Object.fromEntries(columns) };
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
    hint: 'give each column a unique name in the first line; if that line is not a header, pass --no-header',
  });
}

function columnOf(cells: readonly string[]): CsvColumn {
  const filled = cells.filter((cell) => cell !== '');
  const fits = (pattern: RegExp) =>
    filled.length > 0 && filled.every((cell) => pattern.test(cell)) && !filled.some(isCode);
  const kind = kinds.find(([, pattern]) => fits(pattern))?.[0] ?? 'text';
  return filled.length < cells.length ? `${kind}?` : kind;
}
