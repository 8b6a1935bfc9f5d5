import type { TimeUnit } from '../values/index.js';

/** A column's type as it follows from that of a field, and what its numbers count where it is a time. */
export interface Derived {
  readonly type: string;
  readonly unit?: TimeUnit | undefined;
}

/** Where no type of ClickHouse is just what a field is: its value as text of JSON. */
export const JSON_TEXT: Derived = { type: 'String' };

export const WORD: Derived = { type: 'LowCardinality(String)' };

/** Lists, maps and tuples have no null in ClickHouse: where they may be missing they are text of JSON. */
export function orNull({ type, unit }: Derived): Derived {
  if (type.startsWith('Nullable(') || type.startsWith('LowCardinality(Nullable(')) return { type, unit };
  if (type === WORD.type) return { type: 'LowCardinality(Nullable(String))' };
  return /^(Array|Map|Tuple)\(/.test(type) ? { type: 'Nullable(String)' } : { type: `Nullable(${type})`, unit };
}

export const arrayOf = ({ type, unit }: Derived): Derived => ({ type: `Array(${type})`, unit });

export const mapOf = ({ type, unit }: Derived, key = 'String'): Derived => ({ type: `Map(${key}, ${type})`, unit });

/** A record inside a record. All times in one column count the same unit; where they would not, it is text of JSON. */
export function tupleOf(fields: readonly (readonly [name: string, Derived])[]): Derived {
  const units = new Set(fields.flatMap(([, { unit }]) => unit ?? []));
  if (fields.length === 0 || units.size > 1) return JSON_TEXT;
  const [unit] = units;
  return { type: `Tuple(${fields.map(([name, { type }]) => `\`${name}\` ${type}`).join(', ')})`, unit };
}
