import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// What can be done to a disk. Each resolves with what undoes it.

type Undo = () => Promise<void>;

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'millrace-faults-'));

const isRoot = process.getuid?.() === 0;

/** Whether this process may mount file systems: root that has the capability. */
export const canMount = ((): boolean => {
  if (process.platform !== 'linux' || !isRoot) return false;
  const folder = newFolder();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status === 0;
  if (mounted) unmount(folder);
  rmSync(folder, { recursive: true });
  return mounted;
})();

/** Whether a folder can be made one that nobody writes to: rights do not bite root. */
export const canForbid = canMount || (process.platform !== 'win32' && !isRoot);

/** A disk of its own with little room. */
export function smallDisk(bytes = 512 * 1024): { readonly folder: string; fill(): Promise<Undo>; close(): void } {
  const folder = newFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
  const filler = join(folder, '.filler');
  return {
    folder,
    async fill() {
      try {
        writeFileSync(filler, Buffer.alloc(2 * bytes));
      } catch {
        // it is full, which was the purpose
      }
      return async () => rmSync(filler);
    },
    close() {
      unmount(folder);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Nothing can be made in a folder any more; files that are open stay so. */
export async function forbid(folder: string): Promise<Undo> {
  if (!canMount) {
    const folders = [folder, join(folder, '.millrace')];
    for (const each of folders) chmodSync(each, 0o555);
    return async () => {
      for (const each of folders) chmodSync(each, 0o755);
    };
  }
  execFileSync('mount', ['--bind', folder, folder]);
  execFileSync('mount', ['-o', 'remount,bind,ro', folder]);
  return async () => unmount(folder);
}

/** No file can be opened by this process any more. */
export async function outOfFiles(): Promise<Undo> {
  const limited = /Max open files +(\d+)/.exec(
    execFileSync('cat', [`/proc/${process.pid}/limits`], { encoding: 'utf8' }),
  );
  // It waits for its input to end: nothing can be started while the limit holds.
  const undo = `cat > /dev/null; prlimit --pid ${process.pid} --nofile=${limited?.[1]}:`;
  const waiting = spawn('sh', ['-c', undo], { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(waiting, 'spawn');
  execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=1:']);
  return async () => {
    const undone = once(waiting, 'exit');
    waiting.stdin.end();
    await undone;
  };
}

function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder]);
}
