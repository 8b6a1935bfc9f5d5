import { MillraceError, messageOf } from '../../../src/core/errors.js';
import type { LazyJson } from '../../../src/core/record.js';
import type { Line } from '../lines.js';
import { type OpenRandom, openRandomFile } from '../random-access.js';
import type { Group } from './parquet-protocol.js';
import { mostOf, type RowMaker, rowMaker } from './parquet-row-maker.js';
import { groupsOf, type StallLimit } from './parquet-thread.js';

/** Rows per batch. */
const PIECE_ROWS = 1_000;

/**
 * The rows of a Parquet file from a row on, each as a JSON object, with bytes on demand; `next` is the number of the next row.
 * Times are ISO 8601 strings, numbers that are not exact are strings, bytes are Base64, and lists and structures are those of JSON.
 * Snappy, gzip, Brotli and zstd are decompressed.
 *
 * Memory: two row groups, and those of rows in use.
 *
 * @throws MillraceError `source` if it is not Parquet, is damaged, or has another compression.
 * @example for await (const rows of parquetRows('trips.parquet', 0)) rows[0]?.bytes; // {"id":1,"at":"2026-11-26T04:00:00.000Z"}
 */
export async function* parquetRows(
  path: string,
  from: number,
  open: OpenRandom = openRandomFile,
  stallLimit?: StallLimit,
): AsyncGenerator<Line[]> {
  for await (const group of parquetGroups(path, from, open, stallLimit)) {
    const read = { first: group.first, make: rowMaker(group), ...mostOf(group) };
    for (let row = Math.max(0, from - group.first); row < group.rows; row += PIECE_ROWS) {
      yield rowsOf(read, row, Math.min(group.rows, row + PIECE_ROWS));
    }
  }
}

/**
 * The row groups of a Parquet file as columns, from the group with a row on. `readerOf` reads a column without an object for each
 * row. Memory and errors: those of `parquetRows`.
 *
 * @example for await (const { rows, columns } of parquetGroups('trips.parquet')) columns.map(readerOf);
 */
export async function* parquetGroups(
  path: string,
  from = 0,
  open: OpenRandom = openRandomFile,
  stallLimit?: StallLimit,
): AsyncGenerator<Group> {
  const opened = await open(path).catch((cause: unknown) => {
    throw notOpened(path, cause);
  });
  try {
    yield* groupsOf(opened, path, from, stallLimit);
  } finally {
    await opened.close();
  }
}

function rowsOf(group: ReadGroup, from: number, to: number): Line[] {
  const rows: Line[] = [];
  for (let row = from; row < to; row++) rows.push(new ParquetRow(group, row));
  return rows;
}

/** The data of a group's rows. */
interface ReadGroup {
  readonly first: number;
  readonly make: RowMaker;
  readonly bytesMax: number;
  readonly depthMax: number;
}

/** A row by its index. Memory: the columns of its group, as long as one of its rows is used. */
class ParquetRow implements Line, LazyJson {
  constructor(
    private readonly group: ReadGroup,
    private readonly row: number,
  ) {}

  get next(): number {
    return this.group.first + this.row + 1;
  }

  get json(): LazyJson {
    return this;
  }

  value(): unknown {
    return this.group.make(this.row);
  }

  get bytes(): Uint8Array {
    return Buffer.from(JSON.stringify(this.value()));
  }

  get bytesMax(): number {
    return this.group.bytesMax;
  }

  get depthMax(): number {
    return this.group.depthMax;
  }
}

const notOpened = (path: string, cause: unknown): MillraceError =>
  cause instanceof MillraceError
    ? cause
    : new MillraceError('source', `cannot read the Parquet file: ${messageOf(cause)}`, {
        where: path,
        hint: 'check that the file exists and that this process may read it',
        cause,
      });
