import type { DecodedArray } from 'hyparquet';
import type { Cells } from './parquet-protocol.js';
import { asJson, type Cell } from './parquet-values.js';

/** Characters that a column's lists, structures and bytes may have as texts, in a row group. */
const TEXT_MAX = 2 ** 29;

/** The cells of a column of whatever the library makes of values, by what the first of them is. */
export function cellsOf(values: DecodedArray, cell: Cell | undefined): Cells {
  const column = cell === undefined ? values : Array.from(values as ArrayLike<unknown>, cell);
  return plainCells(column) ?? textsOf(column);
}

/** `undefined` where a value is not as the first one. */
function plainCells(column: DecodedArray): Cells | undefined {
  const first = firstOf(column);
  if (first === undefined || typeof first === 'number' || typeof first === 'bigint') return numbersOf(column);
  if (typeof first === 'boolean') return booleansOf(column);
  return first instanceof Date ? timesOf(column) : undefined;
}

const isMissing = (value: unknown): value is null | undefined => value === null || value === undefined;

function firstOf(column: DecodedArray): unknown {
  for (let i = 0; i < column.length; i++) if (!isMissing(column[i])) return column[i];
  return undefined;
}

function numbersOf(column: DecodedArray): Cells | undefined {
  const values = new Float64Array(column.length);
  for (let i = 0; i < column.length; i++) {
    const value: unknown = column[i];
    if (isMissing(value)) values[i] = Number.NaN;
    else if (typeof value === 'number') values[i] = value;
    else {
      const number = typeof value === 'bigint' ? Number(value) : Number.NaN;
      if (!Number.isSafeInteger(number)) return undefined;
      values[i] = number;
    }
  }
  return { kind: 'numbers', values };
}

function booleansOf(column: DecodedArray): Cells | undefined {
  const values = new Uint8Array(column.length);
  for (let i = 0; i < column.length; i++) {
    const value: unknown = column[i];
    if (isMissing(value)) values[i] = 2;
    else if (typeof value === 'boolean') values[i] = value ? 1 : 0;
    else return undefined;
  }
  return { kind: 'booleans', values };
}

function timesOf(column: DecodedArray): Cells | undefined {
  const values = new Float64Array(column.length);
  for (let i = 0; i < column.length; i++) {
    const value: unknown = column[i];
    if (isMissing(value)) values[i] = Number.NaN;
    else if (value instanceof Date) values[i] = value.getTime();
    else return undefined;
  }
  return { kind: 'times', values };
}

/** Texts where all of them are, or times; otherwise JSON. Each is kept once. */
function textsOf(column: DecodedArray): Cells {
  const places = new Int32Array(column.length);
  const asTexts = isOfTexts(column);
  const texts: string[] = [];
  const known = new Map<unknown, number>();
  let depth = 0;
  let total = 0;
  for (let i = 0; i < column.length; i++) {
    const raw: unknown = column[i] ?? null;
    const found = raw === null ? -1 : known.get(raw);
    if (found !== undefined) {
      places[i] = found;
      continue;
    }
    const value = asJson(raw);
    const text = asTexts ? (value as string) : JSON.stringify(value);
    if (!asTexts) depth = Math.max(depth, depthOf(value));
    total += text.length;
    if (total > TEXT_MAX) throw new Error(`more than ${TEXT_MAX} characters in a column`);
    places[i] = texts.push(text) - 1;
    known.set(raw, texts.length - 1);
  }
  return asTexts ? { kind: 'texts', places, texts } : { kind: 'json', places, texts, depth };
}

function isOfTexts(column: DecodedArray): boolean {
  for (let i = 0; i < column.length; i++) {
    const value: unknown = column[i];
    if (typeof value !== 'string' && !isMissing(value) && !(value instanceof Date)) return false;
  }
  return true;
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let deepest = 0;
  for (const each of Object.values(value)) deepest = Math.max(deepest, depthOf(each));
  return deepest + 1;
}
