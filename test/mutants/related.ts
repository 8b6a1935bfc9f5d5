import { join } from 'node:path';
import type { SourceFile } from '../import-graph.js';

/** What importing a package name of our own leads to, as in `vitest.config.ts`. */
function ownEntry(target: string): string | undefined {
  const [name, ...rest] = target.split('/');
  if (name !== 'millrace') return undefined;
  if (rest.length === 0) return 'src/index.ts';
  return rest[0] === 'connectors' ? join(...(rest as [string]), 'index.ts') : `src/${rest[0]}.ts`;
}

/**
 * The test files that reach a source file by their imports (as `vitest related` finds them), the nearest first: the
 * words that a path shares with the file's count more than the imports between them.
 */
export function relatedTests(sources: ReadonlyMap<string, SourceFile>, file: string): string[] {
  const importers = new Map<string, string[]>();
  for (const [path, { imports }] of sources)
    for (const { target, isLocal, isType } of imports) {
      const to = isLocal ? target : ownEntry(target);
      if (to !== undefined && !isType) importers.set(to, [...(importers.get(to) ?? []), path]);
    }
  const distance = new Map([[file, 0]]);
  for (const [path, steps] of distance)
    for (const importer of importers.get(path) ?? []) if (!distance.has(importer)) distance.set(importer, steps + 1);
  const words = new Set(file.split(/\W+/));
  const likeness = (path: string) => new Set(path.split(/\W+/).filter((word) => words.has(word))).size;
  return [...distance]
    .filter(([path]) => path.endsWith('.test.ts'))
    .sort(([a, far], [b, farther]) => far - 3 * likeness(a) - (farther - 3 * likeness(b)) || (a < b ? -1 : 1))
    .map(([path]) => path);
}
