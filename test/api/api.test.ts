import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as root from '../../src/index.js';
import { filesUnder, repository } from '../import-graph.js';
import { type Exported, exportsOf } from './declarations.js';

// What the package exports, by entry point: `docs/api` has it, and changes only on purpose:
// `npx vitest run --project unit test/api -u`.

/** The entry points that package.json names: those of connectors one by one; topologies are files to run, not an interface. */
function entryPoints(): (readonly [name: string, source: string])[] {
  const { exports } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const connectors = filesUnder(['connectors'], (name) => name === 'index.ts').flatMap((path) => {
    const [, name] = /^connectors\/([^/]+)\/index\.ts$/.exec(path) ?? [];
    return name === undefined ? [] : [[`connectors/${name}`, path] as const];
  });
  const own = Object.entries<{ readonly 'millrace-source': string }>(exports).flatMap(([path, targets]) =>
    path.includes('*') || path.endsWith('.json') ? [] : [[path.slice(2), targets['millrace-source'].slice(2)] as const],
  );
  return [...own, ...connectors];
}

let folder: string;
let declared: ReadonlyMap<string, readonly Exported[]>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-api-'));
  const tsc = join(repository, 'node_modules/typescript/bin/tsc');
  const options = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--incremental', 'false', '--outDir', folder];
  execFileSync(process.execPath, [tsc, ...options], { cwd: repository });
  declared = new Map(
    entryPoints().map(([name, source]) => [name, exportsOf(join(folder, source.replace(/\.ts$/, '.d.ts')))]),
  );
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An entry point as a page: its values, then its types, each in the order of the alphabet. */
function page(name: string, names: readonly Exported[]): string {
  const texts = (isValue: boolean) => names.filter((one) => one.isValue === isValue).map(({ text }) => text);
  const block = (title: string, code: readonly string[]) =>
    code.length === 0 ? '' : `\n## ${title}\n\n\`\`\`ts\n${code.join('\n\n')}\n\`\`\`\n`;
  const called = name === '' ? 'millrace' : `millrace/${name}`;
  const about = `# ${called}\n\nWhat \`${called}\` exports, as the compiler sees it.\n`;
  return `${about}${block('Values', texts(true))}${block('Types', texts(false))}`;
}

describe('the public interface', () => {
  it.each(entryPoints())('%s is as its report says', async (name) => {
    const file = name === '' ? 'millrace' : name.replace('/', '-');
    await expect(page(name, declared.get(name) ?? [])).toMatchFileSnapshot(`../../docs/api/${file}.md`);
  });

  it.each(entryPoints())('%s says of every name what it is', (name) => {
    const silent = (declared.get(name) ?? []).filter(({ doc }) => !/^[^@]*[.:)]/.test(doc));
    expect(silent.map((one) => one.name)).toEqual([]);
  });

  it.each(entryPoints())('%s shows an example of every function', (name) => {
    const functions = (declared.get(name) ?? []).filter(({ isValue, isFunction }) => isValue && isFunction);
    expect(functions.filter(({ doc }) => !doc.includes('@example')).map((one) => one.name)).toEqual([]);
  });

  it('has at most 80 values at the root, and no more than the declarations say', () => {
    const values = (declared.get('') ?? []).filter(({ isValue }) => isValue).map(({ name }) => name);
    expect(values).toEqual(Object.keys(root).sort());
    expect(values.length).toBeLessThanOrEqual(80);
  });
});
