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
  const [{ ByteWriter, ParquetWriter, schemaFromColumnData }, { compressSync }] = await Promise.all([
    import('hyparquet-writer'),
    import('snappy'),
  ]);
  const rows = new RowUnpacker(columns);
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({
    writer,
    schema: schemaFromColumnData({ columnData: rows.take() }),
    compressors: { SNAPPY: (bytes) => compressSync(bytes) }, // its own is JavaScript, and a sixth of all the work
  });
  const written = (): Uint8Array<ArrayBuffer> => {
    const bytes = writer.getBytes().slice();
    writer.index = 0; // its buffer is used again; `offset` goes on
    return bytes;
  };
  const group = (): Uint8Array<ArrayBuffer> => {
    parquet.write({ columnData: rows.take(), rowGroupSize: groupRows });
    return written();
  };
  for await (const piece of packed) {
    rows.push(piece);
    while (rows.next()) if (rows.rows === groupRows) yield group();
  }
  rows.end();
  if (rows.rows > 0) yield group();
  parquet.finish();
  yield written();
}
