import { execFileSync, spawnSync } from 'node:child_process';
import type { FaultName } from '../../../src/testing/fault-list.js';

/** No file of this process may grow beyond so many bytes, as under a quota or on a full disk. */
export const limitFiles = (bytes: number | 'unlimited') =>
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);

if (process.platform === 'linux') process.on('SIGXFSZ', () => undefined); // writes fail instead

const canLimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;

/** Where files cannot be limited, no disk can be full. */
export const notHere: Partial<Readonly<Record<FaultName, string>>> = canLimit
  ? {}
  : { 'refused for now': 'only prlimit limits files: Linux, with util-linux' };
