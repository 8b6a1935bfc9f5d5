import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../import-graph.js';

/** Published beside the operators, and part of one: no row in the table, no example. */
const parts = new Set(
  'type expectations windowExpectations verdictColumns repairs repairColumns eliminationColumns startsWith'.split(' '),
);

/** The names of all operators that the package exports. */
export function publishedOperators(): string[] {
  const index = readFileSync(join(repository, 'src/operators/index.ts'), 'utf8');
  const operators = index.replace(/^export type \{[^}]*\}.*$/gm, '');
  const published = [...operators.matchAll(/(?:\{|,)\s*([a-z][A-Za-z]*)(?=[\s,}])/g)].map(([, name = '']) => name);
  return [...published.filter((name) => !parts.has(name)), 'rx'];
}
