import { MillraceError } from '../../core/errors.js';
import { loadModule } from './load-module.js';

/** What is looked for among the exports of a file. */
export interface Wanted<T extends { readonly name: string }> {
  /** One of them, in messages: `topology`. */
  readonly one: string;
  readonly many: string;
  is(value: unknown): value is T;
  /** What to write to export one. */
  readonly hint: string;
}

/** Everything of a kind that a file exports, by the names it exports them under. */
export async function allExported<T extends { readonly name: string }>(
  file: string,
  { one, is, hint }: Wanted<T>,
): Promise<readonly (readonly [key: string, value: T])[]> {
  const all = Object.entries(await loadModule(file));
  const exported = all.flatMap(([key, value]) => (is(value) ? [[key, value] as const] : []));
  if (exported.length > 0) return exported;
  const others = all.map(([key, value]) => `${key} (${typeof value})`).join(', ');
  throw new MillraceError('config', `exports no ${one}${others === '' ? '' : `, only ${others}`}`, {
    where: file,
    hint: others === '' ? `is \`export\` missing before it? ${hint}` : hint,
  });
}

/**
 * Loads the one thing of a kind that a file exports; `FILE#name` chooses among several.
 *
 * @throws MillraceError `config` where the file cannot be loaded, or exports none, or more than one and no name was given.
 */
export async function loadExported<T extends { readonly name: string }>(
  reference: string,
  wanted: Wanted<T>,
): Promise<T> {
  const { file, name } = parse(reference);
  const { one, many } = wanted;
  const exported = await allExported(file, wanted);
  const names = exported.map(([key]) => key).join(', ');
  const chosen = name === undefined ? exported : exported.filter(([key, value]) => key === name || value.name === name);
  const [first, second] = chosen;
  if (first === undefined) {
    throw new MillraceError('config', `exports no ${one} "${name}"`, { where: file, hint: `it has: ${names}` });
  }
  if (second !== undefined) {
    throw new MillraceError('config', `exports ${exported.length} ${many}: ${names}`, {
      where: file,
      hint: `choose one: ${file}#${first[0]}`,
    });
  }
  return first[1];
}

function parse(reference: string): { readonly file: string; readonly name: string | undefined } {
  const hash = reference.lastIndexOf('#');
  if (hash <= 0) return { file: reference, name: undefined };
  return { file: reference.slice(0, hash), name: reference.slice(hash + 1) };
}
