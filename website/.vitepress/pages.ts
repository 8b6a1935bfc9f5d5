import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

interface Entry {
  readonly text: string;
  readonly link: string;
}
interface Group {
  readonly text: string;
  readonly collapsed: boolean;
  readonly items: readonly Entry[];
}

const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

/** The address of a page: a README is the page of its folder. */
export const addressOf = (path: string): string => `/${path}`.replace(/README\.md$/, '').replace(/\.md$/, '');

/** Documents of the package, and of those who work on it. */
export const isPage = (path: string): boolean => /^(docs\/.*|[^/]*)\.md$/.test(path);

/** The first heading. */
const titleOf = (path: string): string => (/^# (.+)$/m.exec(read(path))?.[1] ?? path).replaceAll('`', '');

const entry = (path: string, text = titleOf(path)): Entry => ({ text, link: addressOf(path) });

/** The pages of a folder, its README first. */
const pagesOf = (folder: string): string[] =>
  readdirSync(join(repository, folder))
    .filter((name) => name.endsWith('.md'))
    .sort((a, b) => Number(b === 'README.md') - Number(a === 'README.md') || (a < b ? -1 : 1))
    .map((name) => `${folder}/${name}`);

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The groups of the guide, as the list of links in the README has them. */
function guide(): Group[] {
  const [, links = ''] = read('README.md').split('\n## Links\n');
  const groups = [...links.matchAll(/^- \*\*(.+?)\*\*:(.*(?:\n {2}.*)*)/gm)].map(([, text = '', line = '']) => ({
    text,
    collapsed: false,
    items: [...line.matchAll(/\[([^\]]+)\]\((docs\/guide\/[^)]+\.md)\)/g)].map(([, name = '', path = '']) =>
      entry(path, capitalized(name.replaceAll('\n  ', ' '))),
    ),
  }));
  const listed = new Set(groups.flatMap(({ items }) => items.map(({ link }) => link)));
  const missing = pagesOf('docs/guide').filter((path) => !listed.has(addressOf(path)));
  if (missing.length > 0) throw new Error(`not among the links of the README: ${missing.join(', ')}`);
  return groups.filter(({ items }) => items.length > 0);
}

const folder = (text: string, path: string): Group => ({
  text,
  collapsed: true,
  items: pagesOf(path).map((page) => entry(page)),
});

const project = ['ARCHITECTURE', 'GLOSSARY', 'CONTRIBUTING', 'SECURITY', 'CHANGELOG'].map((name) => `${name}.md`);

export const sidebar = (): Group[] => [
  { text: 'Millrace', collapsed: false, items: [entry('README.md', 'Overview')] },
  ...guide(),
  folder('Connectors', 'docs/connectors'),
  folder('API', 'docs/api'),
  { text: 'Project', collapsed: true, items: project.map((path) => entry(path)) },
  folder('Decisions', 'docs/adr'),
];

/** What is no page: everything but the documents of the package and of those who work on it. */
export const excluded = (): string[] => [
  ...readdirSync(repository, { withFileTypes: true })
    .filter((each) => each.isDirectory() && each.name !== 'docs')
    .map(({ name }) => `${name}/**`),
  'docs/examples/**',
];
