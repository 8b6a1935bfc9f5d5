import { type Columns, RowUnpacker } from './packed-rows.js';

/** Rows of a row group. */
export const GROUP_ROWS = 100_000;

/** A Parquet file in the making: what it is given and what it gives are pieces, cut anywhere. */
export interface ToParquet {
  /** Takes packed rows; gives the bytes of the row groups that they complete. */
  push(packed: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Nothing follows: gives the rest of the file. */
  end(): Uint8Array<ArrayBuffer>;
}

/**
 * Makes a Parquet file of packed rows: compressed by Snappy, a row group for each 100,000 rows. The same rows give the same
 * bytes, whatever pieces they come in.
 *
 * Memory: one row group.
 */
export async function toParquet(columns: Columns, groupRows = GROUP_ROWS): Promise<ToParquet> {
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
  const group = (): void => void parquet.write({ columnData: rows.take(), rowGroupSize: groupRows });
  const written = (): Uint8Array<ArrayBuffer> => {
    const bytes = writer.getBytes().slice();
    writer.index = 0; // its buffer is used again; `offset` goes on
    return bytes;
  };
  return {
    push(packed) {
      rows.push(packed);
      while (rows.next()) if (rows.rows === groupRows) group();
      return written();
    },
    end() {
      rows.end();
      if (rows.rows > 0) group();
      parquet.finish();
      return written();
    },
  };
}
