import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ALSO_FENCES } from '../../connect/fenced.js';
import { MillraceError } from '../../core/errors.js';

// LMDB maps its file into memory: a page that the file does not have ends the process by SIGBUS, without a message. So
// the file is looked at before. A file begins with two meta pages, of which the one of the newest transaction counts.

const MAGIC = 0xbeefc0de;
/** Places in a meta page: its magic number, the size of pages, the roots of both trees, the last page, the transaction. */
const at = { magic: 24, pageSize: 48, roots: [88, 136], lastPage: 144, transaction: 152, end: 160 } as const;
/** The root of an empty tree. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn;
/** Pages at the end may never have been written: those that one transaction took and gave back. */
const UNWRITTEN_BYTES_MAX = 16 * 2 ** 20;

/**
 * Refuses a folder whose `data.mdb` is damaged at its beginning or lacks its end. Where only pages at the end are missing
 * that need not have been written, they are added: read, they are an error and not the end of the process.
 *
 * @throws MillraceError `state`
 */
export function mustBeWhole(folder: string): void {
  const path = join(folder, 'data.mdb');
  const file = open(path);
  if (file === undefined) return;
  let lacking: number;
  try {
    const { size } = fstatSync(file);
    if (size === 0) return; // as good as none
    lacking = wholeSizeOf(file, size, path) - size;
  } finally {
    closeSync(file);
  }
  if (lacking > UNWRITTEN_BYTES_MAX) throw damaged(path, `${lacking} bytes are missing at its end`);
  // Appended: another process that has the folder open may write behind what was seen.
  if (lacking > 0) appendFileSync(path, new Uint8Array(lacking));
}

function wholeSizeOf(file: number, size: number, path: string): number {
  const first = metaAt(file, 0);
  if (first === undefined) throw damaged(path, 'its header is none of LMDB');
  const pageSize = first.readUInt32LE(at.pageSize);
  const isPageSize = pageSize >= 512 && pageSize <= 65_536 && (pageSize & (pageSize - 1)) === 0;
  const second = isPageSize ? metaAt(file, pageSize) : undefined;
  if (second === undefined) throw damaged(path, 'its header is none of LMDB');
  const [newest] = [first, second].sort((a, b) => (transactionOf(a) > transactionOf(b) ? -1 : 1));
  const lastPage = (newest as Buffer).readBigUInt64LE(at.lastPage);
  for (const root of at.roots) {
    const page = (newest as Buffer).readBigUInt64LE(root);
    if (page === NO_PAGE) continue;
    if (page > lastPage || (page + 1n) * BigInt(pageSize) > BigInt(size))
      throw damaged(path, 'the root of a tree is missing');
  }
  return Number(lastPage + 1n) * pageSize;
}

const transactionOf = (meta: Buffer): bigint => meta.readBigUInt64LE(at.transaction);

function metaAt(file: number, place: number): Buffer | undefined {
  const meta = Buffer.alloc(at.end);
  const read = readSync(file, meta, 0, at.end, place);
  return read === at.end && meta.readUInt32LE(at.magic) === MAGIC ? meta : undefined;
}

function open(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined; // there is none yet; LMDB reports anything else itself
  }
}

const damaged = (path: string, what: string): MillraceError =>
  new MillraceError('state', `the embedded store is damaged: ${what}`, {
    where: path,
    hint: `restore the folder from a copy, or move it away and begin with fresh state (millrace savepoint makes copies of state); ${ALSO_FENCES}`,
    permanent: true,
  });
