import { sink } from './sink.js';
import { source } from './source.js';
import { tailSource } from './tail.js';

export type { Roll } from './kinds.js';
export { type ColumnBatch, type Query, type ReadParquetOptions, readParquet } from './parquet/read-parquet.js';
export type { FileSinkOptions } from './sink.js';
export type { FileSourceOptions } from './source.js';
export type { TailOptions } from './tail.js';

/** Files as inputs and outputs of a topology, as inert data. Nothing here opens a file. */
export const file = { source, tailSource, sink } as const;
