import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { init, parse } from 'es-module-lexer';

export const repository = fileURLToPath(new URL('..', import.meta.url));

export interface Import {
  /** A path from the root of the repository, or the name of a package (`rxjs`, `node:fs`). */
  readonly target: string;
  readonly isLocal: boolean;
  readonly isDynamic: boolean;
  readonly isType: boolean;
}

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly exports: readonly string[];
  /** Local files whose values, not types alone, are handed on. */
  readonly republishes: readonly string[];
}

/** Every file under the folders, by path: those that git would keep. */
export function filesUnder(folders: readonly string[], matches: (name: string) => boolean): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && matches(entry.name))
      .map((entry) => normalize(join(entry.parentPath, entry.name)).slice(repository.length))
      .filter((path) => !/(^|\/)(node_modules|dist|\.millrace)\//.test(path)),
  );
}

/** The TypeScript files under the folders with what they import and export. */
export async function readSources(folders: readonly string[]): Promise<ReadonlyMap<string, SourceFile>> {
  await init;
  const paths = filesUnder(folders, (name) => name.endsWith('.ts')).sort();
  return new Map(paths.map((path) => [path, readSource(path)]));
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(repository, path), 'utf8');
  const [imports, exports] = parse(text, path);
  return {
    path,
    text,
    exports: exports.flatMap((found) => (found.type === 'reexport-all' ? [] : [found.name])),
    republishes: exports.flatMap((found) =>
      found.type !== 'direct' && !found.typeOnly && found.from.startsWith('.') ? [localPath(path, found.from)] : [],
    ),
    imports: imports.flatMap((found): Import[] => {
      const { specifier, type } = found;
      if (typeof specifier !== 'string') return [];
      const isLocal = specifier.startsWith('.');
      const target = isLocal ? localPath(path, specifier) : packageOf(specifier);
      const isType = type === 'static' && found.typeOnly;
      return [{ target, isLocal, isDynamic: type === 'dynamic', isType }];
    }),
  };
}

const localPath = (path: string, specifier: string): string => join(dirname(path), specifier).replace(/\.js$/, '.ts');

/** `@scope/name` of `@scope/name/dist/file.js`; `node:fs` and the package's own entries stay whole. */
function packageOf(specifier: string): string {
  if (specifier.startsWith('node:') || /^millrace(\/|$)/.test(specifier)) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Everything that is loaded as soon as a file is: files and packages, over static imports of values. */
export function loadedWith(sources: ReadonlyMap<string, SourceFile>, path: string): ReadonlySet<string> {
  const loaded = new Set<string>();
  const visit = (current: string) => {
    for (const { target, isDynamic, isType, isLocal } of sources.get(current)?.imports ?? []) {
      if (isDynamic || isType || loaded.has(target)) continue;
      loaded.add(target);
      if (isLocal) visit(target);
    }
  };
  visit(path);
  return loaded;
}

/** From each file to the local files that it imports; imports of types count too. */
export const importsBetween = (sources: ReadonlyMap<string, SourceFile>): ReadonlyMap<string, readonly string[]> =>
  new Map(
    [...sources].map(([path, { imports }]) => [path, imports.filter((i) => i.isLocal).map(({ target }) => target)]),
  );

/** A graph of groups of nodes: from each group to the other groups that its nodes lead to. */
export function graphOfGroups(
  graph: ReadonlyMap<string, readonly string[]>,
  groupOf: (node: string) => string,
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, Set<string>>();
  for (const [node, targets] of graph) {
    const from = groupOf(node);
    const reached = groups.get(from) ?? new Set();
    for (const to of targets.map(groupOf)) if (to !== from) reached.add(to);
    groups.set(from, reached);
  }
  return new Map([...groups].map(([group, reached]) => [group, [...reached]]));
}

/** The paths of a graph that come back to where they began, one for each closing edge. */
export function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const chain: string[] = [];
  const visit = (node: string) => {
    state.set(node, 'open');
    chain.push(node);
    for (const target of graph.get(node) ?? []) {
      if (state.get(target) === 'open') cycles.push([...chain.slice(chain.indexOf(target)), target].join(' -> '));
      else if (!state.has(target)) visit(target);
    }
    chain.pop();
    state.set(node, 'done');
  };
  for (const node of graph.keys()) if (!state.has(node)) visit(node);
  return cycles;
}

/** The code alone: comments and the contents of strings are blanked, so that words in them do not count. */
export const codeOf = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g, (found) =>
    found.replace(/[^\n]/g, ' '),
  );
