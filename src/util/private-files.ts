import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MillraceError, messageOf } from '../core/errors.js';

/** Files with records, state or keys are readable by their user only. */
export const PRIVATE_FILE = 0o600;

/**
 * Creates a folder and its parents for its user only. An existing one keeps its mode.
 *
 * @throws MillraceError `config` where a file is in the way, or the user may not.
 */
export function makePrivateFolder(path: string): void {
  try {
    makeEach(resolve(path));
  } catch (cause) {
    throw new MillraceError('config', `cannot create the folder: ${messageOf(cause)}`, {
      where: path,
      hint: 'choose another folder, such as by --data: is a file in the way, and may this user write there?',
      cause,
    });
  }
}

/** One by one: where nothing can be created, as in /proc, the `recursive` of Node never returns. */
function makeEach(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    if (existsSync(path) && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (existsSync(parent) || parent === path) throw cause;
    makeEach(parent);
    makeEach(path);
  }
}

/** Runs a function that creates files, and makes the new ones private. */
export function withPrivateFiles<T>(files: readonly string[], make: () => T): T {
  const missing = files.filter((file) => !existsSync(file));
  const made = make();
  for (const file of missing) if (existsSync(file)) chmodSync(file, PRIVATE_FILE);
  return made;
}
