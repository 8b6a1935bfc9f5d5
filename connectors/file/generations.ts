import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

/** The number of bytes at the start of a file that distinguish it from another one with a reused inode. */
const HEAD_BYTES = 256;

/** The identity of a file after a rename: its inode, and its first bytes. */
export interface Identity {
  readonly id: string;
  readonly head: { readonly bytes: number; readonly digest: string };
}

export interface Generation {
  readonly path: string;
  readonly id: string;
  readonly size: number;
  readonly writtenMs: number;
}

/** The suffix of rotated files: a number, a date, or `old`. Other logs may begin with the same name. */
const rotated = /^[._-](\d|old$)/;

/** A followed file and its rotated files (`NAME.1`, `NAME-20261126`), oldest first, the file itself last. */
export async function generationsOf(path: string): Promise<readonly Generation[]> {
  // A file that is renamed while its folder is read may be missed, so the folder is read until two results are equal.
  for (let seen = await look(path); ; ) {
    const again = await look(path);
    if (isDeepStrictEqual(again.map(whereOf), seen.map(whereOf))) return again;
    seen = again;
  }
}

const whereOf = ({ path, id }: Generation) => [path, id] as const;

async function look(path: string): Promise<Generation[]> {
  const folder = dirname(path);
  const own = basename(path);
  const names = await readdir(folder).catch(orNone<string[]>([])); // a missing folder is empty
  const found: Generation[] = [];
  for (const name of names) {
    if (!name.startsWith(own) || /\.(gz|zst|xz|bz2)$/.test(name)) continue;
    if (name !== own && !rotated.test(name.slice(own.length))) continue;
    const each = await generationAt(join(folder, name));
    if (each) found.push(each);
  }
  const isNewest = (each: Generation) => Number(basename(each.path) === own);
  return found.sort((a, b) => isNewest(a) - isNewest(b) || a.writtenMs - b.writtenMs || (a.path < b.path ? 1 : -1));
}

/** The file at a path now; `undefined` if there is none. */
export async function generationAt(path: string): Promise<Generation | undefined> {
  const found = await stat(path).catch(orNone(undefined)); // it was rotated meanwhile
  if (!found?.isFile()) return undefined;
  return { path, id: idOf(found), size: found.size, writtenMs: found.mtimeMs };
}

/** A missing file counts as none; another error does not, since the file may exist. */
const orNone =
  <T>(none: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return none;
    throw error;
  };

/** Opens a generation; `undefined` if it was renamed since and another file may have its name. */
export async function openGeneration({ path, id }: Generation): Promise<FileHandle | undefined> {
  const file = await open(path, 'r').catch(orNone(undefined));
  if (file === undefined) return undefined;
  try {
    if (idOf(await file.stat()) === id) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return undefined;
}

export const idOf = ({ dev, ino }: { readonly dev: number; readonly ino: number }): string => `${dev}:${ino}`;

/** The first bytes of a file, up to a number. */
export async function headOf(file: FileHandle, bytes = HEAD_BYTES): Promise<Identity['head']> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
  const digest = createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('base64url').slice(0, 16);
  return { bytes: bytesRead, digest };
}

export async function beginsAs(file: FileHandle, head: Identity['head']): Promise<boolean> {
  const now = await headOf(file, head.bytes);
  return now.bytes === head.bytes && now.digest === head.digest;
}

/** Finds the generation with an identity, whatever its current name. */
export async function findAgain(path: string, { id, head }: Identity): Promise<Generation | undefined> {
  for (const generation of await generationsOf(path)) {
    if (generation.id !== id) continue;
    const file = await openGeneration(generation);
    if (file === undefined) return findAgain(path, { id, head });
    try {
      if (await beginsAs(file, head)) return generation;
    } finally {
      await file.close();
    }
  }
  return undefined;
}
