import type { DecodedArray } from 'hyparquet';
import { damaged } from './parquet-hybrid.js';
import type { Cells } from './parquet-protocol.js';
import { asJson, type Cell } from './parquet-values.js';

/** Characters that a column's lists, structures and bytes may have as texts, in a row group. */
const TEXT_MAX = 2 ** 29;

/** The cells of a column of whatever the library makes of values. */
export function cellsOf(values: DecodedArray, cell: Cell | undefined): Cells {
  return numbersOf(values, cell) ?? textsOf(values, cell);
}

function numbersOf(values: DecodedArray, cell: Cell | undefined): Cells | undefined {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const raw = values[i];
    const value = cell === undefined ? raw : cell(raw);
    if (value === null || value === undefined) numbers[i] = Number.NaN;
    else if (typeof value === 'number') numbers[i] = value;
    else {
      const number = typeof value === 'bigint' ? Number(value) : Number.NaN;
      if (!Number.isSafeInteger(number)) return undefined;
      numbers[i] = number;
    }
  }
  return { kind: 'numbers', values: numbers };
}

/** Texts where all of them are; otherwise JSON. Each is kept once. */
function textsOf(values: DecodedArray, cell: Cell | undefined): Cells {
  const places = new Int32Array(values.length);
  const asTexts = Array.from(values as ArrayLike<unknown>).every(isTextOrMissing) && cell === undefined;
  const texts: string[] = [];
  const known = new Map<unknown, number>();
  let depth = 0;
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    const raw: unknown = values[i] ?? null;
    const found = raw === null ? -1 : known.get(raw);
    if (found !== undefined) {
      places[i] = found;
      continue;
    }
    const value = cell === undefined ? asJson(raw) : cell(raw);
    const text = asTexts ? (value as string) : JSON.stringify(value);
    depth = Math.max(depth, depthOf(value));
    total += text.length;
    if (total > TEXT_MAX) throw damaged(`more than ${TEXT_MAX} characters in a column`);
    places[i] = texts.push(text) - 1;
    known.set(raw, texts.length - 1);
  }
  return asTexts ? { kind: 'texts', places, texts } : { kind: 'json', places, texts, depth };
}

const isTextOrMissing = (value: unknown): boolean => typeof value === 'string' || value === null || value === undefined;

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let deepest = 0;
  for (const each of Object.values(value)) deepest = Math.max(deepest, depthOf(each));
  return deepest + 1;
}
