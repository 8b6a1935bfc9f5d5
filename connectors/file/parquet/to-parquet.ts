import { type Columns, RowUnpacker } from './packed-rows.js';

/** Rows per row group. */
export const GROUP_ROWS = 100_000;

/** A Parquet file in the making; its input and output are pieces, cut anywhere. */
export interface ToParquet {
  /** Adds packed rows; returns the bytes of the row groups that they complete. */
  push(packed: Uint8Array): Uint8Array<ArrayBuffer>;
  /** No rows follow: returns the rest of the file. */
  end(): Uint8Array<ArrayBuffer>;
}

/**
 * Makes a Parquet file from packed rows: compressed with Snappy, one row group per 100,000 rows. The same rows give the same bytes,
 * whatever their pieces.
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
    compressors: { SNAPPY: (bytes) => compressSync(bytes) }, // the library's own is JavaScript and takes a sixth of the time
  });
  const group = (): void => void parquet.write({ columnData: rows.take(), rowGroupSize: groupRows });
  const written = (): Uint8Array<ArrayBuffer> => {
    const bytes = writer.getBytes().slice();
    writer.index = 0; // reuses the buffer; `offset` continues
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
