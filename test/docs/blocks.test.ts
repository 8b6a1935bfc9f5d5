import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { describe, expect, it } from 'vitest';
import { connectors } from '../connector-kinds.js';
import { filesUnder, repository } from '../import-graph.js';
import { read } from './generated.js';

// The blocks of TypeScript in documents. What stands between `generated` comments is a file that is tested. Any other block is a
// fragment: it parses, and the functions that it calls, and the names that it imports, are published.

const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'SECURITY.md'],
  ...filesUnder(['docs/guide', 'docs/connectors'], (name) => name.endsWith('.md')),
];
const fragments = documents.flatMap((document) => {
  const text = read(document).replaceAll(/<!-- generated: [\s\S]*?<!-- end: .*? -->/g, '');
  return [...text.matchAll(/^ *```ts\n(.*?)^ *```/gms)].map(([, code = ''], i) => ({
    title: `${document}, block ${i + 1}`,
    code,
  }));
});

const entries = ['window', 'ml', 'operator', 'connect', 'run', 'testing'].map((name) => [
  `millrace/${name}`,
  `src/${name}.ts`,
]);
const ofConnectors = connectors.map(({ name }) => [`millrace/connectors/${name}`, `connectors/${name}/index.ts`]);
const published = new Map<string, object>();
for (const [name = '', file = ''] of [['millrace', 'src/index.ts'], ...entries, ...ofConnectors])
  published.set(name, await import(join(repository, file)));
const functions = new Map([...published.values()].flatMap((exports) => Object.entries(exports)));

/** What fragments call of their reader's, beside what they declare themselves. */
const ofTheReader = new Set(['it', 'keepBalance', 'openWorld', 'ratesFrom']);

interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const each of value) yield* nodesOf(each);
  else if (typeof value === 'object' && value !== null) {
    if ('type' in value && typeof value.type === 'string') yield value as Node;
    for (const each of Object.values(value)) yield* nodesOf(each);
  }
}

/** The nodes of a fragment: statements, calls that go on a chain, or properties of an object; dots stand for what is left out. */
function parsed(code: string): readonly Node[] {
  const whole = code
    .replaceAll(/\{ \.\.\. \}/g, '{}')
    .replaceAll(/, \.\.\.(?= [}\]]|\))/g, '')
    .replaceAll(/\(\.\.\.\)/g, '()')
    .replaceAll(/^ *\.\.\.$/gm, '');
  const forms = whole.startsWith('.') ? [`stream${whole}`] : [whole, `({${whole}})`];
  for (const form of forms) {
    try {
      return [...nodesOf(parseAst(form, { lang: 'ts', sourceType: 'module' }))];
    } catch (error) {
      if (form === forms.at(-1)) throw error;
    }
  }
  return [];
}

const nameOf = (node: unknown): string => (node as { name?: string } | undefined)?.name ?? '';

/** What a fragment calls or imports that is neither published nor its own. */
function unknownIn(code: string): string[] {
  const nodes = parsed(code);
  const own = new Set(
    nodes.flatMap(({ type, id, params, local }) => [
      ...(/^(Variable|Function|Class)/.test(type) ? [nameOf(id)] : []),
      ...(type.startsWith('Import') ? [nameOf(local)] : []),
      ...(Array.isArray(params) ? [...nodesOf(params)].map(nameOf) : []),
    ]),
  );
  return nodes.flatMap(({ type, callee, source, specifiers }) => {
    if (type === 'ImportDeclaration') {
      const exports = published.get((source as { value: string }).value);
      const names = (specifiers as { imported?: unknown; importKind?: string }[])
        .filter(({ importKind }) => importKind !== 'type')
        .map(({ imported }) => nameOf(imported));
      return exports === undefined ? [] : names.filter((name) => !(name in exports));
    }
    if (type !== 'CallExpression') return [];
    const { type: kind, object, property } = callee as Node;
    if (kind === 'Identifier') {
      const name = nameOf(callee);
      return functions.has(name) || own.has(name) || name in globalThis || ofTheReader.has(name) ? [] : [name];
    }
    const connector = nameOf(object);
    const exported = connectors.some(({ name }) => name === connector) ? functions.get(connector) : undefined;
    return exported === undefined || nameOf(property) in (exported as object)
      ? []
      : [`${connector}.${nameOf(property)}`];
  });
}

describe('the blocks of TypeScript in documents', () => {
  it('are many', () => {
    expect(fragments.length).toBeGreaterThan(50);
  });

  it.each(fragments)('$title', ({ code }) => {
    expect(unknownIn(code)).toEqual([]);
  });

  it('are held to what is published', () => {
    expect(unknownIn("orders.via('once', deduplicate({ key })).to('out', kafka.sinks({ topic }));")).toEqual([
      'deduplicate',
      'kafka.sinks',
    ]);
    expect(unknownIn("import { dedupe, nothing } from 'millrace';")).toEqual(['nothing']);
    expect(() => parsed('const = 1;')).toThrow();
  });
});
