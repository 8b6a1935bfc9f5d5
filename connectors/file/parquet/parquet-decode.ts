import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import type { AsyncBuffer } from 'hyparquet';
import { parquetMetadataAsync, parquetScan } from 'hyparquet';
import { uncompressSync } from 'snappy';
import { cellsOf } from './parquet-cells.js';
import { byGroups, type ReadBytes } from './parquet-groups.js';
import type { Column, Group } from './parquet-protocol.js';
import { parsers, takeColumns } from './parquet-values.js';

/** The most cells of a row group; they are in memory twice, decoded and as rows. */
const CELLS_MAX = 2 ** 28;

export interface Decoding {
  /** For messages about the file. */
  readonly path: string;
  readonly size: number;
  /** Row groups that end before this row are skipped. */
  readonly from: number;
  readonly read: ReadBytes;
  /** Called before each column of a row group is decoded. */
  readonly onProgress: () => void;
}

/** The row groups of a Parquet file as columns. Memory: one of them, compressed and decoded. */
export async function* decodeParquet({ path, size, from, read, onProgress }: Decoding): AsyncGenerator<Group> {
  const metadata = await parquetMetadataAsync(bufferOf(read, size));
  const taken = takeColumns(metadata, path);
  const { ranges, readColumn } = await parquetScan({
    file: bufferOf(byGroups(read, size, metadata), size),
    metadata,
    compressors,
    parsers,
    utf8: false, // only columns marked as text are text
    useOffsetIndex: false, // row groups are read as a whole
  });
  const paths = metadata.row_groups[0]?.columns.map(({ meta_data }) => meta_data?.path_in_schema[0] ?? '') ?? [];
  const names = [...new Set(paths)];
  for (const { rowStart, rowEnd } of ranges) {
    const rows = rowEnd - rowStart;
    if (!(rows >= 0 && rows * paths.length <= CELLS_MAX)) throw new Error(`a row group of ${rows} rows`);
    if (rowEnd <= from) continue;
    const columns: Column[] = [];
    for (const name of names) {
      onProgress();
      const values = await readColumn({ column: name, rowStart, rowEnd });
      // If pages are missing there are fewer values; these are not missing cells.
      if (values.length !== rows) throw new Error(`a column of ${values.length} values in a row group of ${rows} rows`);
      columns.push({ name, ...cellsOf(values, taken.get(name)) });
    }
    yield { first: rowStart, rows, columns };
  }
}

/** The file in the form of the library. */
const bufferOf = (read: ReadBytes, size: number): AsyncBuffer => ({
  byteLength: size,
  slice(start, end = size) {
    const answer = read(start, end).then((bytes) => bytes.slice().buffer);
    answer.catch(() => undefined); // the library requests ahead, and after a failure it awaits none of these
    return answer;
  },
});

const compressors = {
  SNAPPY: (input: Uint8Array) => uncompressSync(input, { asBuffer: true }) as Buffer,
  GZIP: (input: Uint8Array) => gunzipSync(input),
  BROTLI: (input: Uint8Array, outputLength: number) =>
    brotliDecompressSync(input, { maxOutputLength: Math.max(1, outputLength) }),
  ZSTD: (input: Uint8Array, outputLength: number) => unzstd(input, new Uint8Array(outputLength)),
};
