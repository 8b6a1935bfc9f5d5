import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Line } from './lines.js';
import { isParquet, type RowFormat } from './row-format.js';
import { type Openers, rowsOfFile } from './rows-of-file.js';

/** What a sink has written below a folder, for tools that look at it and take it away. */
export interface WrittenFiles {
  /** What readers see, in the order of the names, which begin with the folder; nothing where there is none. Memory: the names. */
  list(folder: string): Promise<readonly string[]>;
  /** The rows of one, as the bytes of their lines; those of Parquet as JSON. */
  rows(path: string, format: RowFormat<unknown>): AsyncIterable<readonly Line[]>;
  /** Takes all of it away, with what is hidden there. */
  remove(folder: string): Promise<void>;
}

export const HIDDEN = '.millrace';

/** The rows of a written file, whichever storage it lies in. */
export const writtenRows = (path: string, format: RowFormat<unknown>, openers?: Openers) =>
  rowsOfFile(path, 0, isParquet(format) ? { schema: undefined, header: false } : { header: false, ...format }, openers);

/** Of folders of this machine. */
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
