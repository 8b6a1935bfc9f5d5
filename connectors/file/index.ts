export { type ColumnBatch, type Query, type ReadParquetOptions, readParquet } from './read-parquet.js';
export { type FileSinkOptions, type FileSourceOptions, file, type Roll, type TailOptions } from './specs.js';
