import { existsSync, type FSWatcher, readdirSync, watch } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { MillraceError } from '../../core/errors.js';
import { pause } from '../../util/pause.js';

const SOURCE = /\.([cm]?[jt]s|json|avsc|proto|onnx)$/;
const PASSED_OVER = /^(\..*|node_modules|dist)$/;
const FOLDERS_MAX = 500;
/** An editor writes a file in several steps, and tools write several files. */
const SETTLED_MS = 150;

export interface Sources extends AsyncIterable<string> {
  readonly folder: string;
  /** Ends the iteration. */
  close(): void;
}

/**
 * Names of source files that change, relative to the watched folder: the current one if the file is below it, else the folder of the
 * file. Changes that come together are one. `node_modules`, `dist` and folders with a dot are passed over.
 *
 * @throws MillraceError `config` for a folder that does not exist, and for more than 500 of them.
 */
export function watchSources(file: string): Sources {
  const path = resolve(file.replace(/#[^/]*$/, ''));
  const isBelow = !relative(process.cwd(), path).startsWith('..');
  const folder = isBelow ? process.cwd() : dirname(path);
  if (!existsSync(folder))
    throw new MillraceError('config', 'no such folder', { where: folder, hint: 'give the path of a topology file' });
  const watchers = new Map<string, FSWatcher>();
  const closed = new AbortController();
  let changed: string | undefined;
  let wake = () => {};

  const watchBelow = (at: string) => {
    if (!watchers.has(at)) {
      if (watchers.size === FOLDERS_MAX)
        throw new MillraceError('config', `there are more than ${FOLDERS_MAX} folders in ${folder}`, {
          where: 'dev',
          hint: 'start it in the folder of the topology',
        });
      const watcher = watch(at, (event, name) => {
        if (name === null || !SOURCE.test(name)) return event === 'rename' ? refresh() : undefined;
        changed = relative(folder, join(at, name));
        wake();
      });
      watcher.on('error', () => watchers.delete(at)); // the folder is gone
      watchers.set(at, watcher);
    }
    for (const entry of readdirSync(at, { withFileTypes: true }))
      if (entry.isDirectory() && !PASSED_OVER.test(entry.name)) watchBelow(join(at, entry.name));
  };
  /** Folders come and go. */
  const refresh = () => {
    try {
      watchBelow(folder);
    } catch {
      // one that went meanwhile
    }
  };
  watchBelow(folder);

  return {
    folder,
    close() {
      closed.abort();
      for (const watcher of watchers.values()) watcher.close();
      wake();
    },
    async *[Symbol.asyncIterator]() {
      while (!closed.signal.aborted) {
        const name = changed;
        if (name === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        await pause(SETTLED_MS, closed.signal);
        if (closed.signal.aborted) return;
        changed = undefined;
        yield name;
      }
    },
  };
}
