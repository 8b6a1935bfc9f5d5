import type { CsvColumn } from '../../schema/index.js';

export interface InferredCsv {
  readonly header: boolean;
  readonly delimiter: string;
  readonly columns: Readonly<Record<string, CsvColumn>>;
}

const delimiters = [',', ';', '\t', '|'];

/** Types from the narrowest; a column is of the first one that all of its cells fit. */
const kinds = [
  ['boolean', /^(true|false)$/],
  ['number', /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i],
  ['date', /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/],
] as const;

/** Numbers that are names: a zero in front of them means something. */
const isCode = (cell: string): boolean => /^0\d/.test(cell);

/**
 * How a file of CSV is laid out, by its first rows: the delimiter that divides its first row into most cells, a header where all of them
 * are words of their own, and for each column the narrowest type that fits. `split` takes a row apart.
 */
export function inferCsv(
  lines: readonly string[],
  split: (line: string, delimiter: string) => readonly string[],
): InferredCsv {
  const [first = '', ...others] = lines;
  const cellsBy = (delimiter: string) => first.split(delimiter).length;
  const delimiter = delimiters.reduce((best, next) => (cellsBy(next) > cellsBy(best) ? next : best));
  const top = split(first, delimiter);
  const isWord = (cell: string) => cell.trim() !== '' && kinds.every(([, pattern]) => !pattern.test(cell));
  const header = top.every(isWord) && new Set(top).size === top.length;
  const rows = (header ? others : lines).map((line) => split(line, delimiter));
  const columns: Record<string, CsvColumn> = {};
  for (const [i, cell] of top.entries()) {
    const cells = rows.map((row) => row[i] ?? '');
    columns[header ? cell : `c${i + 1}`] = columnOf(cells);
  }
  return { header, delimiter, columns };
}

function columnOf(cells: readonly string[]): CsvColumn {
  const filled = cells.filter((cell) => cell !== '');
  const fits = (pattern: RegExp) =>
    filled.length > 0 && filled.every((cell) => pattern.test(cell)) && !filled.some(isCode);
  const kind = kinds.find(([, pattern]) => fits(pattern))?.[0] ?? 'text';
  return filled.length < cells.length ? `${kind}?` : kind;
}
