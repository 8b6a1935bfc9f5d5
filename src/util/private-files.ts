import { chmodSync, existsSync, mkdirSync } from 'node:fs';

/** What records, state and keys lie in is its user's own: others of the machine may not read it. */
export const PRIVATE_FILE = 0o600;

/** Makes a folder with those above it, for its user alone. One that is there keeps its mode: whoever made it decided. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Runs what makes files with a mode of its own, and takes those that are new away from others. */
export function withPrivateFiles<T>(files: readonly string[], make: () => T): T {
  const missing = files.filter((file) => !existsSync(file));
  const made = make();
  for (const file of missing) if (existsSync(file)) chmodSync(file, PRIVATE_FILE);
  return made;
}
