import { hash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Isolation } from '../../src/core/kind.js';
import type { WrittenOutput } from '../../src/core/written.js';
import type { WriteFiles } from './kinds.js';
import type { Line } from './lines.js';
import { isParquet, type RowFormat } from './row-format.js';
import { type Openers, rowsOfFile } from './rows-of-file.js';

/** Lists, reads and deletes what a sink wrote below a folder, for tools. */
export interface WrittenFiles {
  /**
   * The visible files, in the order of their names, which begin with the folder; empty if there is no folder. Memory: the names.
   */
  list(folder: string): Promise<readonly string[]>;
  /** The rows of a file, as the bytes of their lines; those of Parquet as JSON. */
  rows(path: string, format: RowFormat<unknown>): AsyncIterable<readonly Line[]>;
  /** Deletes the folder, with its hidden content. */
  remove(folder: string): Promise<void>;
}

export const HIDDEN = '.millrace';

/** The rows of a written file, in any storage. */
export const writtenRows = (path: string, format: RowFormat<unknown>, openers?: Openers) =>
  rowsOfFile(path, 0, isParquet(format) ? { schema: undefined, header: false } : { header: false, ...format }, openers);

/** For folders of this machine. */
export const writtenFiles: WrittenFiles = {
  async list(folder) {
    const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code === 'ENOENT') return [];
      throw error;
    });
    return found
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((path) => !path.startsWith(join(folder, HIDDEN)))
      .sort();
  },
  rows: writtenRows,
  remove: (folder) => rm(folder, { recursive: true, force: true }),
};

/**
 * What a sink wrote, row by row. The end of a file also depends on the clock, so the rows of a task (and, with `by`, of an hour or
 * day) are one sequence. Rows do not name their input record, so their content identifies them. `remove` deletes the folders of all
 * sinks of both runs.
 */
export const writtenOutput = (
  written: WrittenFiles,
  remove: (options: WriteFiles, isolation: Isolation) => Promise<void>,
): WrittenOutput => ({
  read: async ({ options }, _isolation, ordered) => ({
    how: ordered ? 'in order' : 'in any order',
    sorted: false,
    async *entries() {
      const { folder, format } = options as WriteFiles;
      for (const path of await written.list(folder)) {
        // Names are `part-TASK-INCARNATION-NUMBER`.
        const sequence = path.slice(folder.length + 1).replace(/-\d+-\d+\.[a-z.]+$/, '');
        for await (const rows of written.rows(path, format)) {
          for (const { bytes } of rows) {
            const digest = hash('sha1', bytes, 'hex');
            yield { sequence, id: `${digest}/0`, digest, at: Buffer.from(bytes).toString() };
          }
        }
      }
    },
  }),
  remove: ({ options }, isolation) => remove(options as WriteFiles, isolation),
});
