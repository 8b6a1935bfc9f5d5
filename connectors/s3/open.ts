import { MillraceError } from '../../src/core/errors.js';
import type { SchemaRegistry } from '../../src/core/schema.js';
import type { SinkDriver } from '../../src/core/sink.js';
import type { SourceDriver } from '../../src/core/source.js';
import { openCompress } from '../file/compress.js';
import { type FileSourceState, openFilesReader, type Storage } from '../file/files-source.js';
import type { ReadFiles, WriteFiles } from '../file/kinds.js';
import { isMatch } from '../file/listing.js';
import { openWriter, ownerOf } from '../file/open-writer.js';
import type { RandomAccess } from '../file/random-access.js';
import { isParquet } from '../file/row-format.js';
import { HIDDEN, type WrittenFiles, writtenRows } from '../file/written.js';
import { Buckets, type S3Options } from './bucket.js';
import { BucketStore } from './bucket-store.js';
import { OBJECT_BYTES_MAX } from './pieces.js';

/**
 * The drivers of `s3.source` and `s3.sink`, for any store with the S3 protocol and paths (`host/bucket/key`). They connect at first use.
 *
 * @example
 * const objects = openS3({ url: 'http://key:secret@127.0.0.1:9000', schemas: localRegistry() });
 */
export function openS3(options: S3Options & { readonly schemas: SchemaRegistry; readonly now?: () => number }): {
  readonly source: SourceDriver;
  readonly sink: SinkDriver;
  /** For tools. */
  readonly written: WrittenFiles;
} {
  const { schemas, now = Date.now } = options;
  const buckets = new Buckets(options);
  const objects = new Buckets(options, 'source');
  const storage: Storage = {
    async list(path) {
      const parts = path.split('/');
      const fixed = path.includes('*') ? path.slice(0, path.indexOf('*')) : path;
      const found = await objects.list(fixed);
      return found.filter((name) => {
        const names = name.split('/');
        return names.length === parts.length && names.every((each, i) => isMatch(parts[i] as string, each));
      });
    },
    likeness: (path) => objects.head(path),
    open: (path, start) => objects.stream(path, start),
    openRandom: (path) => openObject(objects, path),
  };
  return {
    written: {
      list: async (folder) =>
        (await objects.list(`${folder}/`)).filter((path) => !path.startsWith(`${folder}/${HIDDEN}/`)),
      rows: (path, format) => writtenRows(path, format, storage),
      async remove(folder) {
        for (const path of await objects.list(`${folder}/`)) await objects.remove(path);
      },
    },
    source: {
      partitions: async (source) => (source.options as ReadFiles).partitions,
      async open(source, { partition, offset, bounded, sourceState }) {
        const at = { partition, bounded, offset, sourceState: sourceState as FileSourceState | undefined };
        return openFilesReader(source.options as ReadFiles, at, storage);
      },
    },
    sink: {
      mode: 'prepared',
      async open(sink, context) {
        const options = withinAnUpload(sink.options as WriteFiles);
        const { format, folder } = options;
        const store = await BucketStore.open({
          buckets,
          folder,
          owner: ownerOf(context),
          compress: await openCompress(isParquet(format) ? undefined : format.compression),
          columns: isParquet(format) ? format.columns : undefined,
        });
        return openWriter(options, context, { store, connector: 's3', schemas, now });
      },
      ping: () => buckets.ping(),
    },
  };
}

/** Objects that are complete before an upload runs out of part numbers. */
const withinAnUpload = ({ roll, ...options }: WriteFiles): WriteFiles => ({
  ...options,
  roll: { ...roll, bytes: Math.min(roll.bytes, OBJECT_BYTES_MAX) },
});

/** Reads ranges of an object; another object instead is an error. */
async function openObject(objects: Buckets, path: string): Promise<RandomAccess> {
  const found = await objects.head(path);
  if (found === undefined) {
    throw new MillraceError('source', `${path} is gone`, {
      where: path,
      hint: 'only delete objects that were read completely',
      permanent: true,
    });
  }
  const { size, mark } = found;
  return {
    size,
    async read(start, end) {
      return start < end ? objects.bytes(path, { start, end, mark }) : new Uint8Array(0);
    },
    close: async () => undefined,
  };
}
