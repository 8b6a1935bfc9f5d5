import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settings as kafkaSettings } from '../../connectors/kafka/settings.js';
import { settings as redisSettings } from '../../connectors/redis/settings.js';
import { main } from '../../src/cli/program.js';
import { nextSteps } from '../../src/cli/starter/index.js';
import * as api from '../../src/index.js';
import * as ml from '../../src/ml.js';
import * as operator from '../../src/operator.js';
import { profileSettings } from '../../src/profiles/settings.js';
import { deliveryOn, mermaid } from '../../src/topology/index.js';
import * as windowParts from '../../src/window.js';
import { flightDelays } from '../../topologies/flight-delays.js';
import { connectorKinds, connectors, sinkOfKind } from '../connector-kinds.js';
import { filesUnder, repository } from '../import-graph.js';
import { faultTable } from '../integration/faults/expected.js';
import { matrix } from '../integration/interop/table.js';
import { fenced, fill, read } from './generated.js';
import { publishedOperators } from './published-operators.js';
import { configTable } from './tables.js';

// Parts of documents that come from code. `npx vitest run --project unit test/docs -u` writes them anew.

/** The address of each connector's server; what else there is stands on its page. */
const ownSettings = Object.fromEntries(
  connectors.flatMap(({ name, settings }) => Object.entries(settings).filter(([setting]) => setting === name)),
);

/** The commands of a program and what each says of itself. */
async function help(): Promise<string> {
  const pages: string[] = [];
  const print = async (...args: string[]) => {
    let text = '';
    const out = (part: string) => {
      text += part;
    };
    expect(await main([...args, '--help'], { out, err: out })).toBe(0);
    pages.push(`## millrace${args.length > 0 ? ` ${args.join(' ')}` : ''}\n\n${fenced('text', text)}\n`);
    const [, below = ''] = /^Commands:\n((?: {2}.*\n)+)/m.exec(text) ?? [];
    for (const [, name = ''] of below.matchAll(/^ {2}([a-z]+)(?= )/gm)) await print(...args, name);
  };
  await print();
  return `# Commands\n\nWhat \`--help\` prints.\n\n${pages.join('\n')}`;
}

describe('documents', () => {
  it('README: picture and first steps are those of the code', async () => {
    const steps = nextSteps.map((step) => `npx ${step}`).join('\n');
    const parts = {
      picture: fenced('mermaid', mermaid(flightDelays)),
      'first steps': fenced('sh', steps),
    };
    const expected = Object.entries(parts).reduce((text, [name, part]) => fill(text, name, part), read('README.md'));
    await expect(expected).toMatchFileSnapshot('../../README.md');
  });

  it('the settings of the guide are those of the code', async () => {
    const table = configTable({ ...profileSettings, ...ownSettings });
    const path = 'docs/guide/configuration.md';
    await expect(fill(read(path), 'configuration', table)).toMatchFileSnapshot(`../../${path}`);
  });

  it.each([
    [
      'extending',
      'extend',
      [
        'since-last.ts',
        'since-last.test.ts',
        'weighted-mean.ts',
        'passive-aggressive.ts',
        'lines/index.ts',
        'lines/open.ts',
        'trades.ts',
      ],
    ],
    ['embedding', 'embed', ['service.ts']],
  ])('the guide to %s shows files that are tested', async (page, folder, files) => {
    const path = `docs/guide/${page}.md`;
    const shown = (file: string) => fenced('ts', read(`docs/examples/${folder}/${file}`));
    const expected = files.reduce((text, file) => fill(text, file, shown(file)), read(path));
    await expect(expected).toMatchFileSnapshot(`../../${path}`);
  });

  it('the guide to formats shows schemas that are there, and every reason why a payload cannot be read', async () => {
    const shown = (file: string) => read(`schemas/${file}`).replace(/'\.\.\/src\/schema\/index\.js'/, "'millrace'");
    const guide = read('docs/guide/formats.md');
    const expected = ['order.v1.ts', 'reading.v1.ts'].reduce(
      (text, file) => fill(text, file, fenced('ts', shown(file))),
      guide,
    );
    await expect(expected).toMatchFileSnapshot('../../docs/guide/formats.md');
    const reasons = [...read('src/schema/failures.ts').matchAll(/^ {2}\| '([a-z0-9-]+)'/gm)].map(([, name]) => name);
    const rows = [...guide.matchAll(/^\| (`[a-z0-9`, -]+) \|/gm)].flatMap(
      ([, cell = '']) => cell.match(/[a-z0-9-]+/g) ?? [],
    );
    expect(reasons.length).toBeGreaterThan(10);
    expect(rows).toEqual(expect.arrayContaining(reasons));
  });

  it('the guide to interoperability has the cases that are tested, and no others', async () => {
    const path = 'docs/guide/interoperability.md';
    const expected = Object.entries(matrix()).reduce((text, [name, part]) => fill(text, name, part), read(path));
    await expect(expected).toMatchFileSnapshot(`../../${path}`);
  });

  it('the guide to delivery has what each kind makes of each fault, as it is tested', async () => {
    const path = 'docs/guide/delivery.md';
    await expect(fill(read(path), 'faults', faultTable())).toMatchFileSnapshot(`../../${path}`);
  });

  it('the guide lists all commands as they explain themselves', async () => {
    await expect(await help()).toMatchFileSnapshot('../../docs/guide/commands.md');
  });

  it('the guide to Kafka lists the settings of the cluster', async () => {
    const table = configTable(kafkaSettings);
    await expect(fill(read('docs/guide/kafka.md'), 'settings', table)).toMatchFileSnapshot('../../docs/guide/kafka.md');
  });

  it('the page of Redis lists the settings of the server', async () => {
    const table = configTable(redisSettings);
    const page = 'docs/connectors/redis.md';
    await expect(fill(read(page), 'settings', table)).toMatchFileSnapshot(`../../${page}`);
  });

  const namesIn = (section: string) => {
    const [, text = ''] = read('docs/guide/running.md').split(`\n## ${section}\n`);
    return [...(text.split('\n## ')[0] ?? '').matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  };

  it('the table of logs has every event', () => {
    const events = [...read('src/cli/run/json-report.ts').matchAll(/event: '([a-z]+)'/g)].map(([, event]) => event);
    expect(events.length).toBeGreaterThan(9);
    expect(namesIn('Logs').toSorted()).toEqual(events.toSorted());
  });

  it('the table of errors is the closed set of codes', () => {
    const codes = [...read('src/core/errors.ts').matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, code]) => code);
    const documented = namesIn('Errors');
    expect(codes.length).toBeGreaterThan(5);
    expect(documented).toEqual(codes);
  });

  it.each([
    ['windows', 'trip-windows'],
    ['patterns', 'tested-cards'],
  ])('%s: the example is a file that is tested', async (page, file) => {
    const example = fenced('ts', read(`test/docs/examples/${file}.ts`));
    const path = `docs/guide/${page}.md`;
    await expect(fill(read(path), 'example', example)).toMatchFileSnapshot(`../../${path}`);
  });

  it('the guide to images and texts: the example is a file that is tested', async () => {
    const shown = read('test/docs/examples/listings.ts').replaceAll(/\.\.\/\.\.\/(inference|operators)\//g, '../');
    await expect(fill(read('docs/guide/unstructured.md'), 'example', fenced('ts', shown))).toMatchFileSnapshot(
      '../../docs/guide/unstructured.md',
    );
  });

  it('the table of operators names every one, and no other', () => {
    const documented = [...read('docs/guide/topologies.md').matchAll(/^\| `([A-Za-z]+)\(/gm)].map(([, name]) => name);
    expect(documented.sort()).toEqual(publishedOperators().sort());
  });

  it('who comes from elsewhere is shown names that there are', () => {
    const published = Object.keys({ ...api, ...ml, ...operator, ...windowParts });
    const rows = [...read('docs/guide/coming-from.md').matchAll(/^\|[^|]+\|([^|]+)\|/gm)].map(([, cell = '']) => cell);
    const calls = rows.flatMap((cell) => [...cell.matchAll(/`([a-z][A-Za-z]*)\(/g)].map(([, name = '']) => name));
    expect(calls.length).toBeGreaterThan(40);
    expect(calls.filter((name) => !published.includes(name))).toEqual([]);
  });

  it('the table of sinks promises what is computed, for each sink and profile, and names tests', () => {
    const rows = [
      ...read('docs/guide/delivery.md').matchAll(
        /^\| `([\w.]+)` \| `(embedded|cluster)` \|([^|]*)\| ([a-z-]+) \|.*$/gm,
      ),
    ];
    for (const [row, kind = '', profile = '', mode = '', promise] of rows) {
      const sink = sinkOfKind(kind, mode.trim() === '' ? {} : { deferred: { rowsMax: 1 } });
      expect([row, deliveryOn(profile as 'cluster')(sink)]).toEqual([row, promise]);
      expect(row).toMatch(/\]\(\.\.\/\.\.\/test\/[^)]+\.test\.ts\)/);
    }
    const declared = connectorKinds.filter(({ role }) => role === 'sink').map(({ kind }) => kind);
    const wanted = [...declared, 'repartition'].flatMap((kind) => [`${kind} embedded`, `${kind} cluster`]).sort();
    expect([...new Set(rows.map(([, kind, profile]) => `${kind} ${profile}`))].sort()).toEqual(wanted);
  });

  it('of the guide are all among the links of the README, which are the sidebar of the site', () => {
    const [, links = ''] = read('README.md').split('\n## Links\n');
    const missing = filesUnder(['docs/guide'], (name) => name.endsWith('.md')).filter(
      (path) => !links.includes(`(${path})`),
    );
    expect(missing).toEqual([]);
  });

  it('the README of the package links to what the package has', () => {
    const { files } = JSON.parse(read('package.json')) as { readonly files: readonly string[] };
    const targets = [...read('README.md').matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, target = '']) => target);
    const lacking = targets.filter((target) => !files.some((file) => target === file || target.startsWith(`${file}/`)));
    expect(lacking).toEqual([]);
  });

  it('link to files that exist', () => {
    const top = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'GLOSSARY.md', 'CHANGELOG.md'];
    const broken = [...top, ...filesUnder(['docs'], (name) => name.endsWith('.md'))].flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(repository, dirname(path), target)))
        .map((target) => `${path} -> ${target}`),
    );
    expect(broken).toEqual([]);
  });
});
