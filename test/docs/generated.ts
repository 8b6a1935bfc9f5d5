import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../import-graph.js';

export const read = (path: string) => readFileSync(join(repository, path), 'utf8');
export const fenced = (language: string, text: string) => `\`\`\`${language}\n${text.trim()}\n\`\`\``;

/** Puts text between the marks of a name; throws where a document has no such marks. */
export function fill(document: string, name: string, text: string): string {
  const [open, close] = [`<!-- generated: ${name} -->\n`, `<!-- end: ${name} -->`];
  const [from, to] = [document.indexOf(open), document.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`no marks for "${name}"`);
  return `${document.slice(0, from)}${open}${text}\n${document.slice(to)}`;
}
