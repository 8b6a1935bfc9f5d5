import { readFileSync } from 'node:fs';
import { MillraceError } from '../../core/errors.js';
import type { Store, Write } from './store.js';

// LMDB lets several processes in, but offsets are handed out and tasks are fenced in memory: there must be one. The
// owner is written inside an LMDB write transaction, which excludes other processes by itself, so unlike with a lock
// file there is no moment between looking and taking, and nothing to clean up after `kill -9`.

interface Owner {
  readonly pid: number;
  /** When the process began, where the system tells: a number that was given out again is another process. */
  readonly started: string;
}

const KEY = 'owner';

/**
 * Takes the store for this process.
 *
 * @throws MillraceError `config` where a living process has it.
 */
export function takeOwnership(store: Store): void {
  const holder = store.root.transactionSync(() => {
    const owner = store.owner.get(KEY) as Owner | undefined;
    if (owner !== undefined && isAlive(owner)) return owner;
    store.owner.putSync(KEY, { pid: process.pid, started: startOf(process.pid) } satisfies Owner);
    return undefined;
  });
  if (holder === undefined) return;
  const who = holder.pid === process.pid ? 'this process' : `process ${holder.pid}`;
  throw new MillraceError('config', `the embedded store is in use by ${who}`, {
    where: store.path,
    hint: 'stop it first, close the earlier store, or use another data folder',
  });
}

/** Gives the store back, so that this process may open it again. */
export const releaseOwnership = (store: Store): Write => ({ table: store.owner, key: KEY, value: null });

function isAlive({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  return startOf(pid) === started;
}

/** Boot and start time of a process, from Linux's /proc; empty elsewhere, where the number alone has to do. */
function startOf(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name may hold anything, blanks and brackets too; the 20th field after it is the start time.
    return `${boot}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return '';
  }
}
