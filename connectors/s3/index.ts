import type { Sink } from '../../src/core/sink.js';
import type { Source } from '../../src/core/source.js';
import type { FileSinkOptions, FileSourceOptions } from '../file/index.js';
import { filesSink } from '../file/sink.js';
import { filesSource } from '../file/source.js';
import { definition } from './definition.js';

/** Like those of `file.source`. The path is `BUCKET/KEY`; the last parts of the key may contain `*`. */
export type S3SourceOptions<T> = FileSourceOptions<T>;

/** Like those of `file.sink`. The folder is `BUCKET/PREFIX`. */
export type S3SinkOptions<T> = FileSinkOptions<T>;

/**
 * Objects of a bucket as inputs and outputs of a topology, on any store with the S3 protocol, as inert data. `openS3` in `./open.js`
 * connects.
 */
export const s3 = {
  /**
   * Reads objects like `file.source` reads files. An object appears as a whole, so only the order of names matters. For Parquet the
   * footer is read first, then one row group after another.
   *
   * @example
   * t.source('orders', s3.source({ path: 'shop/orders/*.ndjson.gz', schema: ndjson<Order>(), eventTime: (o) => o.at }));
   */
  source<T>(options: S3SourceOptions<T>): Source<T> {
    return Object.freeze({ ...filesSource(definition.kinds.source, options), topic: `s3://${options.path}` });
  },

  /**
   * Writes rows to objects exactly once. Rows are parts of a multipart upload, and pieces below `.millrace/` of the prefix if they
   * are few. An object appears under its key after the checkpoint that has all its rows.
   *
   * @example
   * orders.to('archive', s3.sink({ folder: 'lake/orders', schema: ndjson<Order>(), compression: 'gzip', by: 'hour' }));
   */
  sink<T>(options: S3SinkOptions<T>): Sink<T> {
    return filesSink(definition.kinds.sink, options);
  },
} as const;
