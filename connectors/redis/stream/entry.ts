import type { RawRecord } from '../../../src/core/record.js';
import type { Entries } from '../kinds.js';

/** An entry as the client returns it: the id, then fields and values alternately. */
export type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

/** Comes before the first id. */
export const NO_ID = '0-0';

/** Compares ids, `milliseconds-number`: both parts may exceed a double. */
export function isAfter(id: string, other: string): boolean {
  const [ms = '', n = ''] = id.split('-');
  const [otherMs = '', otherN = ''] = other.split('-');
  return ms === otherMs ? isGreater(n, otherN) : isGreater(ms, otherMs);
}

const isGreater = (a: string, b: string): boolean => (a.length === b.length ? a > b : a.length > b.length);

/** Bytes of its fields and values. */
export const sizeOf = ([, fields]: Entry): number => fields.reduce((sum, { length }) => sum + length, 0);

/** Converts an entry to a record. */
export function recordOf([id, fields]: Entry, offset: number, { field, keyField }: Entries): RawRecord {
  const timestampMs = Number(id.toString('latin1').split('-', 1)[0]);
  let key: Buffer | null = null;
  let value: Buffer | null = null;
  const others: [string, Buffer][] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = String(fields[i]);
    const content = fields[i + 1] as Buffer;
    if (name === keyField) key = content;
    if (name === field) value = content;
    else if (field === undefined || name !== keyField) others.push([name, content]);
  }
  if (field === undefined) {
    const object = Object.fromEntries(others.map(([name, content]) => [name, content.toString()]));
    return { offset, timestampMs, key, value: Buffer.from(JSON.stringify(object)) };
  }
  return others.length === 0
    ? { offset, timestampMs, key, value }
    : { offset, timestampMs, key, value, headers: others };
}
