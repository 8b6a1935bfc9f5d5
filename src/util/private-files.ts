import { chmodSync, existsSync, mkdirSync } from 'node:fs';

/** Files with records, state or keys are readable by their user only. */
export const PRIVATE_FILE = 0o600;

/** Creates a folder and its parents for its user only. An existing one keeps its mode. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Runs a function that creates files, and makes the new ones private. */
export function withPrivateFiles<T>(files: readonly string[], make: () => T): T {
  const missing = files.filter((file) => !existsSync(file));
  const made = make();
  for (const file of missing) if (existsSync(file)) chmodSync(file, PRIVATE_FILE);
  return made;
}
