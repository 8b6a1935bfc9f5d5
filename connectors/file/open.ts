import { MillraceError } from '../../src/core/errors.js';
import type { SchemaRegistry } from '../../src/core/schema.js';
import type { SinkDriver } from '../../src/core/sink.js';
import type { Source, SourceDriver } from '../../src/core/source.js';
import { openCompress } from './compress.js';
import { type FileSourceState, openFilesReader } from './files-source.js';
import { FolderStore } from './folder-store.js';
import type { ReadFiles, WriteFiles } from './kinds.js';
import { openWriter, ownerOf } from './open-writer.js';
import { isParquet } from './row-format.js';
import { openTailReader, type TailSourceState } from './tail-source.js';
import { type WrittenFiles, writtenFiles } from './written.js';

export interface Files {
  readonly source: SourceDriver;
  /** Exactly once: prepared files become visible after the checkpoint with their committable. */
  readonly sink: SinkDriver;
  /** For tools. */
  readonly written: WrittenFiles;
}

export interface FilesOptions {
  readonly schemas: SchemaRegistry;
  /** Processing time, for the age of files; by default the system's clock. */
  readonly now?: () => number;
}

/**
 * The drivers of `file.source`, `file.tailSource` and `file.sink`. Nothing is opened before a topology uses it.
 *
 * @example
 * const files = openFiles({ schemas: localRegistry() });
 * const profile = { sources: { file: files.source }, sinks: { file: files.sink } };
 */
export function openFiles({ schemas, now = Date.now }: FilesOptions): Files {
  return {
    written: writtenFiles,
    source: {
      partitions: async (source) => readOf(source).partitions,
      async open(source, { partition, offset, bounded, sourceState }) {
        const options = readOf(source);
        return source.kind === 'file.tailSource'
          ? openTailReader(options, { bounded, offset, sourceState: sourceState as TailSourceState | undefined })
          : openFilesReader(options, {
              partition,
              bounded,
              offset,
              sourceState: sourceState as FileSourceState | undefined,
            });
      },
    },
    sink: {
      mode: 'prepared',
      async open(sink, context) {
        const options = sink.options as WriteFiles;
        const { format, folder } = options;
        const store = await FolderStore.open({
          folder,
          owner: ownerOf(context),
          sink: `${context.task.topology}/${context.step}`,
          compress: await openCompress(isParquet(format) ? undefined : format.compression),
          columns: isParquet(format) ? format.columns : undefined,
        });
        return openWriter(options, context, { store, connector: 'file', schemas, now });
      },
    },
  };
}

function readOf({ options, topic }: Source<unknown>): ReadFiles {
  if (options !== undefined) return options as ReadFiles;
  throw new MillraceError('config', `${topic} is not a source of files`, {
    where: topic,
    hint: 'make it with file.source',
  });
}
