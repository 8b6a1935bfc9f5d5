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

/** The file with what comes out in its last comment. */
export function withOutput(text: string, lines: readonly string[]): string {
  const at = text.lastIndexOf('/* out\n');
  if (at < 0) throw new Error('an example ends with a comment that begins with "out"');
  return `${text.slice(0, at)}/* out\n${lines.map((line) => `${line}\n`).join('')}*/\n`;
}
