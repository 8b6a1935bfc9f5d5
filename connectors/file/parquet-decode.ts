import type { AsyncBuffer, ColumnMetaData, DecodedArray, RowGroup, SchemaTree } from 'hyparquet';
import { parquetMetadataAsync, parquetSchema } from 'hyparquet';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { assembleAsync } from 'hyparquet/src/rowgroup.js';
import { getTreePath, isFlatColumn } from 'hyparquet/src/schema.js';
import { cellsOf } from './parquet-cells.js';
import { flatCells } from './parquet-flat.js';
import { byGroups, type ReadBytes, rangeOf } from './parquet-groups.js';
import { damaged } from './parquet-hybrid.js';
import { leafValues } from './parquet-leaf.js';
import { VALUES_MAX } from './parquet-page.js';
import type { Cells, Column, Group } from './parquet-protocol.js';
import { type Cell, parsers, takeDecimals } from './parquet-values.js';

/** Cells of a row group: what they take is in memory twice, where they are decoded and where rows are made of them. */
const CELLS_MAX = 2 ** 28;

export interface Decoding {
  /** For what is said of the file. */
  readonly path: string;
  readonly size: number;
  /** Row groups that end before this row are passed over. */
  readonly from: number;
  readonly read: ReadBytes;
  /** Called again and again while a row group is decoded, and seldom enough to cost nothing. */
  readonly onProgress: () => void;
}

/** The row groups of a Parquet file by columns. Memory: one of them, compressed and decoded. */
export async function* decodeParquet(decoding: Decoding): AsyncGenerator<Group> {
  const { path, size, from, read } = decoding;
  const whole: AsyncBuffer = {
    byteLength: size,
    slice: async (start, end = size) => {
      const { buffer, byteOffset, length } = await read(start, end);
      return buffer.slice(byteOffset, byteOffset + length);
    },
  };
  const metadata = await parquetMetadataAsync(whole);
  const cells = takeDecimals(metadata, path);
  const tree = parquetSchema(metadata);
  const bytes = byGroups(read, size, metadata);
  let first = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    if (!(rows >= 0 && rows <= VALUES_MAX)) throw new Error(`a row group of ${rows} rows`);
    if (rows * group.columns.length > CELLS_MAX) {
      throw new Error(`a row group of ${rows} rows and ${group.columns.length} columns is more than fits in memory`);
    }
    if (first + rows > from)
      yield { first, rows, columns: await columnsOf(group, rows, { bytes, tree, cells, decoding }) };
    first += rows;
  }
}

interface File {
  readonly bytes: ReadBytes;
  readonly tree: SchemaTree;
  readonly cells: ReadonlyMap<string, Cell>;
  readonly decoding: Decoding;
}

async function columnsOf({ columns }: RowGroup, rows: number, file: File): Promise<Column[]> {
  const chunks = columns.map(({ file_path, meta_data }) => {
    if (file_path === undefined && meta_data !== undefined) return meta_data;
    throw new Error('a column of it lies in another file');
  });
  const names = new Set(chunks.map(({ path_in_schema }) => path_in_schema[0] ?? ''));
  const decoded: Column[] = [];
  for (const name of names) {
    file.decoding.onProgress();
    const own = chunks.filter(({ path_in_schema }) => path_in_schema[0] === name);
    decoded.push({ name, ...(await columnCells(name, own, rows, file)) });
  }
  return decoded;
}

async function columnCells(name: string, chunks: readonly ColumnMetaData[], rows: number, file: File): Promise<Cells> {
  const { tree, cells, bytes, decoding } = file;
  const asyncColumns: { pathInSchema: string[]; data: Promise<{ data: DecodedArray[]; skipped: number }> }[] = [];
  for (const chunk of chunks) {
    const { start, end } = rangeOf(chunk);
    const piece = await bytes(start, end);
    const path = getTreePath(tree, chunk.path_in_schema);
    const leaf = path[path.length - 1] as SchemaTree;
    if (isFlatColumn(path) && !cells.has(name)) {
      const flat = flatCells(piece, chunk, leaf.element, rows);
      if (flat !== undefined) return flat;
    }
    const data = leafValues(piece, chunk, path, { ...DEFAULT_PARSERS, ...parsers }, decoding.onProgress);
    asyncColumns.push({ pathInSchema: chunk.path_in_schema, data: Promise.resolve({ data, skipped: 0 }) });
  }
  const group = { groupStart: 0, groupRows: rows, selectStart: 0, selectEnd: rows, asyncColumns };
  const assembled = assembleAsync(group, tree, parsers).asyncColumns.find(
    ({ pathInSchema }) => pathInSchema[0] === name,
  );
  if (assembled === undefined) throw new Error(`it has no column ${name}`);
  const { data } = await assembled.data;
  const values = data.length === 1 ? (data[0] as DecodedArray) : data.flatMap((each) => Array.from(each as never));
  if (values.length !== rows) throw damaged(`a column of ${values.length} values where the row group has ${rows}`);
  return cellsOf(values, cells.get(name));
}
