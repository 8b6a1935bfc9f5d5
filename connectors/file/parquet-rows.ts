import { MillraceError, messageOf } from '../../src/core/errors.js';
import type { Line } from './lines.js';
import type { Group } from './parquet-protocol.js';
import { type RowMaker, rowMaker } from './parquet-row-maker.js';
import { groupsOf, type Patience } from './parquet-thread.js';
import { type OpenRandom, openRandomFile } from './random-access.js';

/** Rows handed over at a time. */
const PIECE_ROWS = 1_000;

/**
 * The rows of a Parquet file from a row on, each as the bytes of a JSON object; `next` is the number of the next row.
 * Times are texts of ISO 8601; what no number holds exactly is a text; bytes are Base64; lists and structures are those of
 * JSON. Snappy, gzip and zstd are decompressed.
 *
 * Memory: two row groups.
 *
 * @throws MillraceError `source` where it is no Parquet, is damaged, or is compressed in another way.
 * @example
 * for await (const rows of parquetRows('trips.parquet', 0)) rows[0]?.bytes; // {"id":1,"at":"2026-11-26T04:00:00.000Z"}
 */
export async function* parquetRows(
  path: string,
  from: number,
  open: OpenRandom = openRandomFile,
  patience?: Patience,
): AsyncGenerator<Line[]> {
  const opened = await open(path).catch((cause: unknown) => {
    throw notOpened(path, cause);
  });
  try {
    for await (const group of groupsOf(opened, path, from, patience)) {
      const make = rowMaker(group);
      for (let row = Math.max(0, from - group.first); row < group.rows; row += PIECE_ROWS) {
        yield rowsOf(group, make, row, Math.min(group.rows, row + PIECE_ROWS));
      }
    }
  } finally {
    await opened.close();
  }
}

function rowsOf(group: Group, make: RowMaker, from: number, to: number): Line[] {
  const rows: Line[] = [];
  for (let row = from; row < to; row++) {
    rows.push({ bytes: Buffer.from(JSON.stringify(make(row))), next: group.first + row + 1 });
  }
  return rows;
}

const notOpened = (path: string, cause: unknown): MillraceError =>
  cause instanceof MillraceError
    ? cause
    : new MillraceError('source', `cannot read the Parquet file: ${messageOf(cause)}`, {
        where: path,
        hint: 'is it there, and may this process read it?',
        cause,
      });
