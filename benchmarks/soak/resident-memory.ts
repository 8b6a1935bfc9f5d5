import { existsSync, readFileSync } from 'node:fs';

/** Resident memory, in MiB: all of it, and by what it is where the system tells, which only Linux does. */
export interface ResidentMemory {
  readonly resident: number;
  /** The process's own: heaps, buffers, stacks. */
  readonly anonymous: number;
  /** Pages of mapped files, such as the embedded store, which the system may drop at any time. */
  readonly mapped: number;
}

const STATUS = '/proc/self/status';

export function residentMemory(): ResidentMemory {
  const status = existsSync(STATUS) ? readFileSync(STATUS, 'utf8') : '';
  const mib = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
  return {
    resident: process.memoryUsage.rss() / 2 ** 20,
    anonymous: mib('RssAnon'),
    mapped: mib('RssFile') + mib('RssShmem'),
  };
}
