import type { DecodedArray } from 'hyparquet';
import type { Cells } from './parquet-protocol.js';
import { asJson, type Taken } from './parquet-values.js';

/** The most characters of a column's lists, structures and bytes as text, in a row group. */
const TEXT_MAX = 2 ** 29;

/** The cells of a column, in a form chosen by its first value. */
export function cellsOf(values: DecodedArray, taken: Taken | undefined): Cells {
  const times = taken?.ticksPerMs === undefined ? undefined : timesOf(values, taken.ticksPerMs);
  if (times !== undefined) return times;
  const column = taken === undefined ? values : Array.from(values as ArrayLike<unknown>, taken.cell);
  return plainCells(column) ?? textsOf(column);
}

/** The milliseconds of the latest `Date`, and of the earliest before 1970. Numbers are exact up to there, in any unit. */
const EXACT_MAX = 8.64e15;

/** `undefined` if a value is not a whole millisecond, or may not be exact. */
function timesOf(ticks: DecodedArray, perMs: number): Cells | undefined {
  const values = new Float64Array(ticks.length);
  for (let i = 0; i < values.length; i++) {
    const each: unknown = ticks[i];
    if (isMissing(each)) {
      values[i] = Number.NaN;
      continue;
    }
    const exact = Number(each);
    if (!(Math.abs(exact) <= EXACT_MAX && exact % perMs === 0)) return undefined;
    values[i] = exact / perMs;
  }
  return { kind: 'times', values };
}

/** Numbers, booleans or times; `undefined` if a value has another type than the first one. */
function plainCells(column: DecodedArray): Cells | undefined {
  const first = firstOf(column);
  const { length } = column;
  if (first instanceof Date)
    return filled({ kind: 'times', values: new Float64Array(length) }, column, msOf, Number.NaN);
  switch (typeof first) {
    case 'boolean':
      return filled({ kind: 'booleans', values: new Uint8Array(length) }, column, bitOf, 2);
    case 'number':
    case 'bigint':
    case 'undefined':
      return filled({ kind: 'numbers', values: new Float64Array(length) }, column, numberOf, Number.NaN);
    default:
      return undefined;
  }
}

const isMissing = (value: unknown): value is null | undefined => value === null || value === undefined;

function firstOf(column: DecodedArray): unknown {
  for (let i = 0; i < column.length; i++) if (!isMissing(column[i])) return column[i];
  return undefined;
}

/** Converts each value; `undefined` if one cannot be converted. */
function filled<C extends Extract<Cells, { readonly values: unknown }>>(
  cells: C,
  column: DecodedArray,
  of: (value: unknown) => number | undefined,
  missing: number,
): C | undefined {
  const { values } = cells;
  for (let i = 0; i < values.length; i++) {
    const value: unknown = column[i];
    const made = isMissing(value) ? missing : of(value);
    if (made === undefined) return undefined;
    values[i] = made;
  }
  return cells;
}

const msOf = (value: unknown) => (value instanceof Date ? value.getTime() : undefined);
const bitOf = (value: unknown) => (typeof value === 'boolean' ? Number(value) : undefined);

function numberOf(value: unknown): number | undefined {
  if (typeof value !== 'bigint') return typeof value === 'number' ? value : undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Texts if all values are texts or times; otherwise JSON. Each distinct text is stored once. */
function textsOf(column: DecodedArray): Cells {
  const indices = new Int32Array(column.length);
  const asTexts = isOfTexts(column);
  const texts: string[] = [];
  const known = new Map<unknown, number>();
  let depth = 0;
  let total = 0;
  for (let i = 0; i < column.length; i++) {
    const raw: unknown = column[i] ?? null;
    const found = raw === null ? -1 : known.get(raw);
    if (found !== undefined) {
      indices[i] = found;
      continue;
    }
    const value = asJson(raw);
    const text = asTexts ? (value as string) : JSON.stringify(value);
    if (!asTexts) depth = Math.max(depth, depthOf(value));
    total += text.length;
    if (total > TEXT_MAX) throw new Error(`more than ${TEXT_MAX} characters in a column`);
    indices[i] = texts.push(text) - 1;
    known.set(raw, texts.length - 1);
  }
  return asTexts ? { kind: 'texts', indices, texts } : { kind: 'json', indices, texts, depth };
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
