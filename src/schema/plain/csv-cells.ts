import { DecodeFailure } from '../failures.js';

/** A cell that was quoted. It is never a missing value. */
export interface Cell {
  readonly text: string;
}

/**
 * Splits one row into its cells, by RFC 4180: a quoted cell may hold delimiters, line ends, and quotes written twice.
 *
 * @throws DecodeFailure `not-csv`
 * @example
 * splitRow('1,"a ""b"", c"', ','); // ['1', { text: 'a "b", c' }]
 */
export function splitRow(row: string, delimiter: string): (Cell | string)[] {
  const end = row.endsWith('\r\n') ? row.length - 2 : row.endsWith('\n') ? row.length - 1 : row.length;
  const cells: (Cell | string)[] = [];
  for (let at = 0; ; at++) {
    if (row[at] === '"' && at < end) {
      const [text, after] = quotedCell(row, at + 1, end);
      cells.push({ text });
      at = after;
    } else {
      const found = row.indexOf(delimiter, at);
      const stop = found < 0 || found > end ? end : found;
      const text = row.slice(at, stop);
      if (text.includes('"')) throw new DecodeFailure('not-csv', `a quote inside cell ${cells.length + 1}`);
      refuseLineEnds(text);
      cells.push(text);
      at = stop;
    }
    if (at >= end) return cells;
    if (row[at] !== delimiter) throw new DecodeFailure('not-csv', `text after the quotes of cell ${cells.length}`);
  }
}

/** The texts of the cells of one row, without the information whether they were quoted. */
export const textsOf = (row: string, delimiter: string): string[] =>
  splitRow(row, delimiter).map((cell) => (typeof cell === 'string' ? cell : cell.text));

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * The cells of an ASCII row without quotes, in one pass over its bytes; `undefined` for any other row. Most rows are such, and this is
 * faster than splitting text.
 */
export function plainCells(bytes: Uint8Array, delimiterCode: number): string[] | undefined {
  const row = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  const end = endOf(bytes);
  const cells: string[] = [];
  let from = 0;
  for (let i = 0; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === delimiterCode) {
      cells.push(row.slice(from, i));
      from = i + 1;
    } else if (byte === QUOTE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte >= 0x80) return undefined;
  }
  cells.push(row.slice(from, end));
  return cells;
}

/** The end of a row, without its line end. */
function endOf(bytes: Uint8Array): number {
  const last = bytes.length - 1;
  if (bytes[last] !== LINE_FEED) return bytes.length;
  return bytes[last - 1] === CARRIAGE_RETURN ? last - 1 : last;
}

function refuseLineEnds(text: string): void {
  if (text.includes('\n') || text.includes('\r')) {
    throw new DecodeFailure('not-csv', 'a line end outside quotes: one record is one row');
  }
}

/** The text between quotes, and the position after them. */
function quotedCell(row: string, from: number, end: number): [text: string, after: number] {
  let text = '';
  for (let at = from; ; ) {
    const quote = row.indexOf('"', at);
    if (quote < 0 || quote >= end) throw new DecodeFailure('not-csv', 'a quote that nothing closes');
    text += row.slice(at, quote);
    if (row[quote + 1] !== '"') return [text, quote + 1];
    text += '"';
    at = quote + 2;
  }
}

/** The text of a cell: in quotes if it needs them, or if it would be read as missing. */
export function cellOf(text: string, delimiter: string, neverMissing: boolean): string {
  if (text === '') return neverMissing ? '""' : '';
  const delimiterCode = delimiter.charCodeAt(0);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === delimiterCode || code === QUOTE || code === LINE_FEED || code === CARRIAGE_RETURN) {
      return `"${text.replaceAll('"', '""')}"`;
    }
  }
  return text;
}
