import { execFileSync, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Launch } from './service.js';

/** A process as it is recorded: its id, and when it began, since ids are given anew. */
export interface ProcessRecord {
  readonly pid: number;
  readonly began: string;
}

/** When the process of this id began, in the system's own words; undefined where there is none. */
export function beginOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z') return undefined; // has ended; its parent has not asked yet
      return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19]}`;
    } catch {
      return undefined;
    }
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Whether this very process still runs, and not another one under its id. */
export const isAlive = ({ pid, began }: ProcessRecord): boolean => beginOf(pid) === began;

/** Starts a process of its own, which goes on when this one ends and writes to `logFile`. */
export function start({ command, args, env }: Launch, logFile: string): ProcessRecord {
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, { detached: true, stdio: ['ignore', log, log], env: { ...process.env, ...env } });
  child.once('error', () => undefined); // seen below: a process that did not start is not alive
  child.unref();
  const pid = child.pid ?? -1;
  return { pid, began: beginOf(pid) ?? 'never' };
}

/** Asks the process to end, waits, and ends it by force where it does not; nothing where it is gone already. */
export async function end(record: ProcessRecord, patienceMs = 15_000): Promise<void> {
  if (!isAlive(record)) return;
  process.kill(record.pid, 'SIGTERM');
  const deadline = Date.now() + patienceMs;
  while (isAlive(record) && Date.now() < deadline) await sleep(50);
  if (isAlive(record)) process.kill(record.pid, 'SIGKILL');
  while (isAlive(record)) await sleep(20);
}
