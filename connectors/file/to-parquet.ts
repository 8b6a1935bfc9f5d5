import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Columns, RowUnpacker } from './packed-rows.js';

/** Rows of a row group. */
const GROUP_ROWS = 100_000;

/** Makes a Parquet file of a file of packed rows. */
export async function toParquet(packed: string, file: string, columns: Columns): Promise<void> {
  const bytes = parquetOf(createReadStream(packed, { highWaterMark: 256 * 1024 }), columns);
  await pipeline(bytes, createWriteStream(file));
}

/**
 * The bytes of a Parquet file, made of the packed rows of a part: compressed by Snappy, a row group for each 100,000 rows. The
 * same rows give the same bytes, whatever pieces they come in.
 *
 * Memory: one row group.
 */
export async function* parquetOf(
  packed: AsyncIterable<Uint8Array>,
  columns: Columns,
  groupRows = GROUP_ROWS,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { ParquetBytes } = await import('./parquet-write.js');
  const rows = new RowUnpacker(columns, groupRows);
  const parquet = new ParquetBytes(rows.take());
  const group = (): Uint8Array<ArrayBuffer> => {
    const count = rows.rows;
    return parquet.group(rows.take(), count);
  };
  for await (const piece of packed) {
    rows.push(piece);
    while (rows.next()) if (rows.rows === groupRows) yield group();
  }
  rows.end();
  if (rows.rows > 0) yield group();
  yield parquet.finish();
}
