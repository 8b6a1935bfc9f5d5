import type { Cells, Group } from './parquet-protocol.js';

/** Creates the value of a row, a new one at each call: what `JSON.parse` makes of its JSON. */
export type RowMaker = (row: number) => Record<string, unknown>;

/**
 * Creates objects from the columns of a group. The code of their object literal is generated once per group.
 *
 * @example
 * rowMaker(group)(0); // { id: 1, at: '2026-11-26T04:00:00.000Z' }
 */
export function rowMaker({ columns }: Group): RowMaker {
  const readers = columns.map(readerOf);
  const names = readers.map((_, i) => `r${i}`);
  const fields = columns.map(({ name }, i) => `[${JSON.stringify(name)}]: r${i}(row)`);
  return new Function(...names, `return (row) => ({ ${fields.join(', ')} });`)(...readers) as RowMaker;
}

/** Reads a cell of a column by the number of its row: what `JSON.parse` makes of its JSON. */
export type Reader = (row: number) => unknown;

/** Reads the cells of a column. */
export function readerOf(cells: Cells): Reader {
  switch (cells.kind) {
    case 'numbers': {
      const { values } = cells;
      return (row) => {
        const value = values[row] as number;
        return value - value === 0 ? value + 0 : null; // neither NaN nor infinite; -0 becomes 0, as in JSON
      };
    }
    case 'booleans': {
      const { values } = cells;
      return (row) => (values[row] === 2 ? null : values[row] === 1);
    }
    case 'times':
      return timeReader(cells.values);
    case 'texts': {
      const { indices, texts } = cells;
      return (row) => {
        const index = indices[row] as number;
        return index < 0 ? null : texts[index];
      };
    }
    case 'json': {
      const { indices, texts } = cells;
      return (row) => {
        const index = indices[row] as number;
        return index < 0 ? null : JSON.parse(texts[index] as string);
      };
    }
  }
}

/** Upper bounds of the JSON size and the nesting depth of a group's rows, computed without reading each row. */
export function mostOf({ columns }: Group): { readonly bytesMax: number; readonly depthMax: number } {
  let bytesMax = 2;
  let depthMax = 1;
  for (const column of columns) {
    bytesMax += BYTES_A_CHARACTER * column.name.length + 4 + cellBytesMost(column);
    if (column.kind === 'json') depthMax = Math.max(depthMax, 1 + column.depth);
  }
  return { bytesMax, depthMax };
}

/** A control character in a JSON string takes six bytes; any other at most three. */
const BYTES_A_CHARACTER = 6;
/** For numbers, `null`, and times with the longest years. */
const PLAIN_BYTES = 32;

function cellBytesMost(cells: Cells): number {
  if (cells.kind !== 'texts' && cells.kind !== 'json') return PLAIN_BYTES;
  let longest = 0;
  for (const { length } of cells.texts) if (length > longest) longest = length;
  return PLAIN_BYTES + BYTES_A_CHARACTER * longest;
}

const MINUTE_MS = 60_000;
/** `:SS.` and milliseconds, by number. */
const seconds = Array.from({ length: 60 }, (_, second) => `:${String(second).padStart(2, '0')}.`);
const millis = Array.from({ length: 1_000 }, (_, ms) => `${String(ms).padStart(3, '0')}Z`);

/** Times as by `toISOString`. Most files have close times, so the last minute is cached. */
function timeReader(values: Float64Array): Reader {
  let minute = Number.NaN;
  let text = '';
  return (row) => {
    const value = values[row] as number;
    if (Number.isNaN(value)) return null;
    const at = Math.floor(value / MINUTE_MS);
    if (at !== minute) {
      minute = at;
      text = new Date(at * MINUTE_MS).toISOString().slice(0, -8);
    }
    const ms = value - at * MINUTE_MS;
    const second = Math.floor(ms / 1_000);
    return text + seconds[second] + millis[ms - second * 1_000];
  };
}
