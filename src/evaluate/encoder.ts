import { MillraceError } from '../core/errors.js';
import type { FeatureNumbers, FeatureShape } from '../core/learner.js';
import { combine, finish, hashString, hashValue } from '../ml/features/hash.js';
import { onesOf } from '../ml/features/ones.js';
import { ownCell, type Row, type Rows } from './table.js';

/** How a column becomes features: one number, or one of many categories, hashed. */
export type ColumnKind = 'number' | 'category';

/** The columns that are features, in their order. */
export type Columns = Readonly<Record<string, ColumnKind>>;

/**
 * The features among the columns of some rows: numbers and booleans are numbers, texts are categories. Times, lists and objects are
 * left out, and so is what `declared` says to skip.
 *
 * @throws MillraceError `config` if `declared` names a column that no row has
 * @example inferColumns([{ age: 31, city: 'Oslo', late: true }], 'late'); // { age: 'number', city: 'category' }
 */
export function inferColumns(
  rows: readonly Row[],
  label: string,
  declared: Readonly<Record<string, ColumnKind | 'skip'>> = {},
): Columns {
  const names = [...new Set(rows.flatMap(Object.keys))];
  for (const name of [label, ...Object.keys(declared)]) {
    if (names.includes(name)) continue;
    throw new MillraceError('config', `there is no column '${name}'`, { hint: `the file has: ${names.join(', ')}` });
  }
  const declaredKinds = new Map(Object.entries(declared));
  const kinds = names.flatMap((name): [string, ColumnKind][] => {
    const declaredKind = declaredKinds.get(name);
    if (name === label || declaredKind === 'skip') return [];
    const kind = declaredKind ?? kindOf(rows.map((row) => ownCell(row, name)));
    return kind === undefined ? [] : [[name, kind]];
  });
  return Object.fromEntries(kinds);
}

function kindOf(values: readonly unknown[]): ColumnKind | undefined {
  const types = new Set(values.filter((value) => value !== null && value !== undefined).map((value) => typeof value));
  if (types.size === 0) return undefined;
  if ([...types].every((type) => type === 'number' || type === 'boolean')) return 'number';
  return [...types].every((type) => type === 'string') ? 'category' : undefined;
}

type Reader = ReturnType<Rows['column']>;

/** Turns rows into features, one at a time. */
export interface Encoder {
  readonly shape: FeatureShape;
  /** Opens some rows: the features of the one at a place are valid until the next call. A row allocates nothing. */
  of(rows: Rows): (at: number) => FeatureNumbers;
  /** Numbers that were missing, so far: they count as 0, or as NaN for a learner that can take it. */
  missing(): number;
}

/**
 * Opens an encoder: a dense place for each number, and a hashed place, of 2^`hashBits`, for each category's name and value.
 *
 * @example
 * const { shape, of } = openEncoder({ age: 'number', city: 'category' }, { hashBits: 18, missing: 0 });
 * of(rows)(0); // of the age 31 and the city Oslo: { dense: [31], indices: [one of 2^18], values: [1] }
 */
export function openEncoder(
  columns: Columns,
  { hashBits, missing }: { readonly hashBits: number; readonly missing: number },
): Encoder {
  const numbers = Object.keys(columns).filter((name) => columns[name] === 'number');
  const categories = Object.keys(columns).filter((name) => columns[name] === 'category');
  const names = categories.map(hashString);
  const dense = new Float64Array(numbers.length);
  const indices = new Uint32Array(categories.length);
  const features = { dense, indices, values: onesOf(categories.length) };
  let missed = 0;
  const filled = (value: unknown): number => {
    if (value !== null && value !== undefined) return Number(value);
    missed += 1;
    return missing;
  };
  return {
    shape: { denseSize: numbers.length, hashedSize: categories.length === 0 ? 0 : 2 ** hashBits },
    of(rows) {
      const ofNumbers = numbers.map((name) => ({ array: rows.numbers?.(name), read: rows.column(name) }));
      const ofCategories = categories.map((name) => rows.column(name));
      return (at) => {
        for (let i = 0; i < ofNumbers.length; i++) {
          const { array, read } = ofNumbers[i] as (typeof ofNumbers)[number];
          const number = array ? (array[at] as number) : Number.NaN;
          dense[i] = number - number === 0 ? number + 0 : filled(read(at)); // -0 becomes 0, as where it is read
        }
        for (let i = 0; i < ofCategories.length; i++) {
          const value = (ofCategories[i] as Reader)(at);
          const hash = hashValue(value === undefined ? null : (value as string | number | null));
          indices[i] = finish(combine(names[i] as number, hash)) >>> (32 - hashBits);
        }
        return features;
      };
    },
    missing: () => missed,
  };
}
