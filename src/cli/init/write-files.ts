import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MillraceError } from '../../core/errors.js';

/** What may be there already, and then stays as it is. */
const shared = ['package.json', 'tsconfig.json'];

/**
 * Writes all files or none, and returns their paths. What is there already is never overwritten; `package.json` and `tsconfig.json` may
 * stay.
 *
 * @throws MillraceError `config` with the files that are in the way.
 */
export function writeFiles(folder: string, files: ReadonlyMap<string, string>): string[] {
  const wanted = [...files].filter(([name]) => !shared.includes(name) || !existsSync(join(folder, name)));
  const taken = wanted.map(([name]) => name).filter((name) => existsSync(join(folder, name)));
  if (taken.length > 0) {
    throw new MillraceError('config', `files exist already: ${taken.join(', ')}`, {
      where: folder,
      hint: 'choose an empty folder: millrace init my-stream',
    });
  }
  const made: string[] = [];
  try {
    for (const [name, text] of wanted) {
      const path = join(folder, name);
      const first = mkdirSync(dirname(path), { recursive: true });
      if (first !== undefined) made.push(first);
      made.push(path);
      writeFileSync(path, text, { flag: 'wx' });
    }
  } catch (error) {
    for (const path of made.reverse()) rmSync(path, { recursive: true, force: true });
    throw error;
  }
  return wanted.map(([name]) => name);
}
