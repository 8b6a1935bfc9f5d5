import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { MillraceError, messageOf } from '../core/errors.js';
import { decodeSavepoint, type SavepointManifest, type SavepointTask } from '../state/savepoint.js';
import { makePrivateFolder, PRIVATE_FILE } from '../util/private-files.js';

const SUFFIX = '.mrsp';
const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/i;

/** Where the savepoint of a name lies. */
export function savepointFile(data: string, name: string): string {
  if (!NAME.test(name)) {
    throw new MillraceError('config', `a savepoint cannot be called '${name}'`, {
      hint: '1 to 64 letters, digits, ".", "_" and "-"',
    });
  }
  return join(data, 'savepoints', `${name}${SUFFIX}`);
}

export interface ListedSavepoint {
  readonly file: string;
  readonly bytes: number;
  readonly manifest: SavepointManifest;
}

/** A file among the savepoints that is none, or no longer. */
export interface DamagedSavepoint {
  readonly file: string;
  readonly reason: string;
}

export interface SavepointList {
  readonly savepoints: readonly ListedSavepoint[];
  readonly damaged: readonly DamagedSavepoint[];
}

/** The savepoints of a data folder, by name. One that cannot be read hides no other. */
export function listSavepoints(data: string): SavepointList {
  const folder = join(data, 'savepoints');
  if (!existsSync(folder)) return { savepoints: [], damaged: [] };
  const savepoints: ListedSavepoint[] = [];
  const damaged: DamagedSavepoint[] = [];
  const names = readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
  for (const name of names.sort()) {
    const file = join(folder, name);
    try {
      savepoints.push(withSavepoint(file, ({ manifest }, bytes) => ({ file, bytes, manifest })));
    } catch (error) {
      damaged.push({ file, reason: messageOf(error) });
    }
  }
  return { savepoints, damaged };
}

/** The manifest and all tasks of a savepoint, checked from end to end. Memory: its state. */
export const readSavepoint = (file: string) =>
  withSavepoint(file, (savepoint) => ({ manifest: savepoint.manifest, tasks: [...savepoint.tasks()] }));

/** The tasks of a savepoint one by one, each with its number. */
export function* decodedTasks(file: string): Generator<SavepointTask & { readonly partition: number }> {
  const descriptor = openSync(file, 'r');
  try {
    let partition = 0;
    for (const task of decodeSavepoint(reading(descriptor), file).tasks()) yield { partition: partition++, ...task };
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a savepoint for as long as `use` needs it. @throws MillraceError `config` where there is none, `state` where it is none. */
export function withSavepoint<T>(
  file: string,
  use: (savepoint: ReturnType<typeof decodeSavepoint>, bytes: number) => T,
): T {
  if (!existsSync(file)) {
    throw new MillraceError('config', `no savepoint '${basename(file, SUFFIX)}'`, {
      where: file,
      hint: '`millrace savepoint list` lists the savepoints of --data',
    });
  }
  if (!statSync(file).isFile())
    throw new MillraceError('state', 'the savepoint is not a file', {
      where: file,
      hint: 'create one with millrace savepoint create',
    });
  const descriptor = openSync(file, 'r');
  try {
    return use(decodeSavepoint(reading(descriptor), file), fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
}

/** Reads on; never makes room for more than the file has, whatever a damaged length says. */
function reading(descriptor: number) {
  const { size } = fstatSync(descriptor);
  let at = 0;
  return (length: number): Uint8Array => {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - at)));
    let read = 0;
    while (read < bytes.length) {
      const more = readSync(descriptor, bytes, read, bytes.length - read, at + read);
      if (more === 0) break;
      read += more;
    }
    at += read;
    return bytes.subarray(0, read);
  };
}

/** Under another name until it is whole and on the disk. Returns its size. */
export async function writeWhole(file: string, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  makePrivateFolder(dirname(file));
  const partial = `${file}.partial`;
  const descriptor = openSync(partial, 'w', PRIVATE_FILE);
  let size = 0;
  try {
    for await (const bytes of pieces) {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      size += bytes.length;
    }
    fsyncSync(descriptor);
  } catch (error) {
    closeSync(descriptor);
    rmSync(partial, { force: true });
    throw error;
  }
  closeSync(descriptor);
  renameSync(partial, file);
  return size;
}
