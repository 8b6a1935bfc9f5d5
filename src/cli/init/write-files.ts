import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { MillraceError, messageOf } from '../../core/errors.js';

/** What may be there already: `npm install` makes the first one. */
const shared = ['package.json', 'tsconfig.json'];

/**
 * Writes all files or none, and returns their paths. What is there already is never overwritten: `tsconfig.json` may stay, and
 * `package.json` gets the scripts and packages that it lacks. Its files stay CommonJS or ES modules, as they are: those of ours work in both.
 *
 * @throws MillraceError `config` with the files that are in the way, and where the folder is a file itself.
 */
export function writeFiles(folder: string, files: ReadonlyMap<string, string>): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new MillraceError('config', 'is a file', { where: folder, hint: 'name a folder: millrace init my-stream' });
  const wanted = [...files].filter(([name]) => !shared.includes(name) || !existsSync(join(folder, name)));
  const taken = wanted.map(([name]) => name).filter((name) => existsSync(join(folder, name)));
  if (taken.length > 0) {
    throw new MillraceError('config', `files exist already: ${taken.join(', ')}`, {
      where: folder,
      hint: 'choose an empty folder: millrace init my-stream',
    });
  }
  const made: string[] = [];
  const completed = completedPackage(join(folder, 'package.json'), files.get('package.json'));
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
  if (completed === undefined) return wanted.map(([name]) => name);
  writeFileSync(join(folder, 'package.json'), completed);
  return [...wanted.map(([name]) => name), 'package.json'];
}

type Package = Readonly<Record<string, unknown>>;

/** What `npm init` writes for a test. */
const NO_TEST = 'no test specified';

/** The text of a `package.json` that is there, with what it lacks of ours; `undefined` where it lacks nothing. */
function completedPackage(path: string, wanted: string | undefined): string | undefined {
  if (wanted === undefined || !existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  const present = parsed(text, path);
  const { scripts, ...others } = present;
  const { test, ...rest } = (scripts ?? {}) as Readonly<Record<string, string>>;
  const kept = test === undefined || test.includes(NO_TEST) ? rest : { ...rest, test };
  const ours: Package = JSON.parse(wanted);
  const added = isBare(present) ? ours : { scripts: ours.scripts, devDependencies: ours.devDependencies };
  const completed = merged({ ...others, ...(scripts === undefined ? {} : { scripts: kept }) }, added);
  return isDeepStrictEqual(completed, present) ? undefined : `${JSON.stringify(completed, null, 2)}\n`;
}

/** What `npm install` makes in an empty folder: no project of anybody's yet. */
const isBare = (present: Package): boolean => Object.keys(present).every((name) => /dependencies$/i.test(name));

function parsed(text: string, path: string): Package {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MillraceError('config', `is no JSON: ${messageOf(cause)}`, { where: path, hint: 'correct it', cause });
  }
}

/** What is there goes before what is wanted. */
function merged(present: Package, wanted: Package): Package {
  const isObject = (value: unknown): value is Package => typeof value === 'object' && value !== null;
  const added = Object.entries(wanted).map(([name, value]) => {
    const there = present[name];
    return [name, isObject(there) && isObject(value) ? merged(there, value) : (there ?? value)] as const;
  });
  return { ...present, ...Object.fromEntries(added) };
}
