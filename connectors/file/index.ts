export { type ColumnBatch, type Query, type ReadParquetOptions, readParquet } from './read-parquet.js';
