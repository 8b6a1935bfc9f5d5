import type { ConnectorKind } from '../../src/core/options.js';
import { sink, sinkKind } from './sink.js';
import { source, sourceKind } from './source.js';
import { tailKind, tailSource } from './tail.js';

export { type ColumnBatch, type Query, type ReadParquetOptions, readParquet } from './parquet/read-parquet.js';
export type { FileSinkOptions, Roll } from './sink.js';
export type { FileSourceOptions } from './source.js';
export type { TailOptions } from './tail.js';

/** What `file` has, as data. */
export const kinds: readonly ConnectorKind[] = [sourceKind, tailKind, sinkKind];

/** Files as inputs and outputs of a topology: inert data, read by the profile that runs it. Nothing here opens anything. */
export const file = { source, tailSource, sink } as const;
