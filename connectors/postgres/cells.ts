import { jsonText, withMaps } from '../../src/util/json-text.js';

/** A value as text for Postgres; `null` is NULL. */
export type Cell = string | null;

/** Returns the function that writes values of a column's type, so the type is examined once. */
export function cellOf(type: string): (value: unknown) => Cell {
  const toText = /^jsonb?$/i.test(type) ? jsonCell : /^(timestamp|date\b)/i.test(type) ? timeText : plainText;
  return (value) => (value === null || value === undefined ? null : toText(value));
}

/**
 * The cells of a column as one array literal of Postgres. (The client would examine the type of each cell again, and pass over its
 * text twice.)
 */
export function arrayOf(cells: readonly Cell[]): string {
  let text = '{';
  for (const cell of cells) {
    if (text.length > 1) text += ',';
    if (cell === null) text += 'NULL';
    else text += MUST_BE_ESCAPED.test(cell) ? `"${cell.replaceAll(/["\\]/g, '\\$&')}"` : `"${cell}"`;
  }
  return `${text}}`;
}

const MUST_BE_ESCAPED = /["\\]/;

const jsonCell = (value: unknown): string =>
  JSON.stringify(value, (name, each) => (typeof each === 'bigint' ? String(each) : withMaps(name, each)));

const timeText = (value: unknown): string =>
  typeof value === 'number' ? new Date(value).toISOString() : plainText(value);

function plainText(value: unknown): string {
  if (typeof value !== 'object') return String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return jsonText(value) ?? String(value);
}
