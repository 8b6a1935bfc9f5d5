import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { MillraceError } from '../../src/core/errors.js';

/** The bytes at both ends of a file that identify its content. */
const MARK_BYTES = 4_096;

/**
 * The files that a path matches, in the order of their names (by code units, so the same on every machine). Parts of the path may
 * contain `*` for any characters. Names that begin with a dot or an underscore are skipped.
 *
 * @throws MillraceError `source` if the folder cannot be read.
 * @example
 * await filesOf('data/orders/*.ndjson'); // ['data/orders/a.ndjson', 'data/orders/b.ndjson']
 */
export async function filesOf(path: string): Promise<readonly string[]> {
  const parts = path.split('/');
  const first = parts.findIndex((part) => part.includes('*'));
  if (first < 0) return (await exists(path)) ? [path] : [];
  const found: string[] = [];
  await collect(parts.slice(0, first).join('/') || (path.startsWith('/') ? '/' : '.'), parts.slice(first), found);
  return found.sort();
}

async function collect(folder: string, parts: readonly string[], found: string[]): Promise<void> {
  const [part = '', ...rest] = parts;
  const isLast = rest.length === 0;
  for (const entry of await entriesOf(folder)) {
    const { name } = entry;
    if (!isMatch(part, name) || isLast !== !entry.isDirectory()) continue;
    const path = folder === '.' ? name : join(folder, name);
    if (isLast) found.push(path);
    else await collect(path, rest, found);
  }
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new MillraceError('source', `cannot read the folder ${folder}`, {
      where: folder,
      hint: 'check that it exists and that this process may read it; paths are relative to the working directory',
      cause,
    });
  }
}

/** Whether a path with `*` can match a file, decided by the names alone. */
export function isCovered(path: string, file: string): boolean {
  const [parts, names] = [posix.normalize(path).split('/'), posix.normalize(file).split('/')];
  return parts.length === names.length && parts.every((part, i) => isMatch(part, names[i] as string));
}

/** Whether a name matches a part of a path with `*`. */
export function isMatch(pattern: string, name: string): boolean {
  if (/^[._]/.test(name) && !/^[._]/.test(pattern)) return false;
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(name);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** The identity of a file's content. Other content gives other values, unless it differs only in the middle. */
export interface Likeness {
  readonly size: number;
  /** A digest of its first and last bytes. */
  readonly mark: string;
}

export interface FileState extends Likeness {
  readonly writtenMs: number;
}

/** The identity of a file, and its modification time; `undefined` if there is none. */
export async function likenessOf(path: string): Promise<FileState | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ENOENT') return undefined;
    throw new MillraceError('source', `cannot open ${path}`, {
      where: path,
      hint: 'check that this process may read it',
      cause,
    });
  }
  try {
    const { size, mtimeMs } = await file.stat();
    const digest = createHash('sha256');
    const buffer = Buffer.alloc(MARK_BYTES);
    for (const position of [0, Math.max(0, size - MARK_BYTES)]) {
      const { bytesRead } = await file.read(buffer, 0, MARK_BYTES, position);
      digest.update(buffer.subarray(0, bytesRead));
    }
    return { size, mark: digest.digest('base64url').slice(0, 16), writtenMs: Math.floor(mtimeMs) };
  } finally {
    await file.close();
  }
}
