import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('foreign.py', import.meta.url));

const ask = (...args: readonly string[]): unknown =>
  JSON.parse(execFileSync('python3', [script, ...args], { maxBuffer: 64 * 1024 * 1024 }).toString());

/** Has Python write files of every kind into a folder; the rows that a reader should find, by name. */
export const writtenIn = (folder: string) => ask('write', folder) as Readonly<Record<string, readonly object[]>>;

/** What Python reads in files; `s3://KEY@SECRET@HOST:PORT/BUCKET/KEY` for objects of Parquet. */
export const readBy = (...paths: readonly string[]) => ask('read', ...paths) as readonly (readonly object[])[];
