import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clickhouse } from '../../connectors/clickhouse/index.js';
import { file } from '../../connectors/file/index.js';
import { http } from '../../connectors/http/index.js';
import { kafka } from '../../connectors/kafka/index.js';
import { postgres } from '../../connectors/postgres/index.js';
import { redis } from '../../connectors/redis/index.js';
import { s3 } from '../../connectors/s3/index.js';
import { type Example, linesOf } from '../../docs/examples/run.js';
import type { KindDefinition } from '../../src/core/kind.js';
import { profileSettings } from '../../src/profiles/settings.js';
import { check, deliveryOn } from '../../src/topology/index.js';
import { connectorKinds, connectorOf, sinkOfKind } from '../connector-kinds.js';
import { repository } from '../import-graph.js';
import { fenced, fill, read, withOutput } from './generated.js';
import { markdownTable, optionTable } from './tables.js';

// A page a connector, with a generated part about each of its kinds. `npx vitest run --project unit test/docs -u` writes them anew.

const pages: Readonly<Record<string, string>> = {
  kafka: 'docs/guide/kafka.md',
  redis: 'docs/connectors/redis.md',
  clickhouse: 'docs/connectors/clickhouse.md',
  file: 'docs/connectors/file.md',
  s3: 'docs/connectors/s3.md',
  http: 'docs/connectors/http.md',
  postgres: 'docs/connectors/postgres.md',
};

const exampleOf = (connector: string) => join(repository, `docs/connectors/examples/${connector}.ts`);

/** What connectors publish that is no source, sink or lookup. */
const helpers = ['clickhouse.view'];
const published = Object.entries({ kafka, redis, clickhouse, file, s3, http, postgres }).flatMap(([connector, made]) =>
  Object.keys(made)
    .map((name) => `${connector}.${name}`)
    .filter((kind) => !helpers.includes(kind)),
);

/** What a sink guarantees on each profile, as \`describe\` computes it. */
function deliveryText({ kind, role }: KindDefinition): string {
  if (role !== 'sink') return '';
  const sink = sinkOfKind(kind);
  const [embedded, cluster] = profileSettings.profile.values.map((profile) => deliveryOn(profile)(sink));
  return embedded === cluster
    ? `${embedded}`
    : `${embedded} on the embedded profile, ${cluster} on the cluster profile`;
}

function sectionOf(kind: KindDefinition): string {
  const delivery = deliveryText(kind);
  const says = delivery === '' ? kind.doc : `${kind.doc} Guarantee: ${delivery}.`;
  return `### \`${kind.kind}\`\n\n${says}\n\n${optionTable(kind)}\n`;
}

describe('pages of connectors', () => {
  it('there is one for each', () => {
    expect(Object.keys(pages)).toEqual(expect.arrayContaining(connectorKinds.map(({ kind }) => connectorOf(kind))));
  });

  it.each(Object.entries(pages))('%s: example and options are those of the code', async (connector, page) => {
    const kinds = connectorKinds.filter(({ kind }) => connectorOf(kind) === connector);
    const [shown = ''] = readFileSync(exampleOf(connector), 'utf8').split('\nexport const records');
    const withExample = fill(read(page), 'example', fenced('ts', shown));
    const expected = fill(withExample, 'options', kinds.map(sectionOf).join('\n'));
    await expect(expected).toMatchFileSnapshot(`../../${page}`);
  });

  it('the index lists all kinds', async () => {
    const page = 'docs/connectors/README.md';
    const rows = connectorKinds.map((kind) => {
      const link = pages[connectorOf(kind.kind)]?.replace('docs/connectors/', '').replace('docs/', '../');
      return [`[\`${kind.kind}\`](${link})`, kind.role, kind.doc, deliveryText(kind)];
    });
    const expected = fill(read(page), 'kinds', markdownTable(['kind', 'is a', 'does', 'guarantee'], rows));
    await expect(expected).toMatchFileSnapshot(`../../${page}`);
  });

  it('every kind that a connector publishes says what it is, and no other does', () => {
    const declared = connectorKinds.map(({ kind }) => kind);
    expect(published.filter((kind) => !declared.includes(kind))).toEqual([]);
    expect(declared.filter((kind) => !published.includes(kind))).toEqual([]);
  });

  it.each(published)('%s has its options on a page and is in an example', (kind) => {
    const connector = connectorOf(kind);
    expect(read(pages[connector] ?? '')).toContain(`### \`${kind}\``);
    expect(readFileSync(exampleOf(connector), 'utf8')).toMatch(new RegExp(`\\b${kind}[(<]`));
  });

  // Each example says at its end what comes out of it.
  it.each(Object.keys(pages))('%s: the example gives what it says', async (connector) => {
    const path = exampleOf(connector);
    const shown = (await import(path)) as Example;
    expect(check(shown.example)).toEqual([]);
    await expect(withOutput(readFileSync(path, 'utf8'), await linesOf(shown))).toMatchFileSnapshot(path);
  });
});
