import { describe, expect, it } from 'vitest';
import { connectorKinds, connectorOf, markdownTable, optionTable } from '../../src/cli/connector-kinds.js';
import { deliveryOn } from '../../src/cli/guarantees.js';
import { settings } from '../../src/cli/settings.js';
import type { Sink } from '../../src/core/index.js';
import type { ConnectorKind } from '../../src/core/options.js';
import { fill, read } from './generated.js';

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

/** What a sink guarantees on each profile, as \`describe\` computes it. */
function deliveryText({ kind, role }: ConnectorKind): string {
  if (role !== 'sink') return '';
  const sink = { connector: connectorOf(kind), kind } as Sink<unknown>;
  const [embedded, local] = settings.profile.values.map((profile) => deliveryOn(profile)(sink));
  return embedded === local ? `${embedded}` : `${embedded} on the embedded profile, ${local} on the local one`;
}

function sectionOf(kind: ConnectorKind): string {
  const delivery = deliveryText(kind);
  const says = delivery === '' ? kind.doc : `${kind.doc} Guarantee: ${delivery}.`;
  return `### \`${kind.kind}\`\n\n${says}\n\n${optionTable(kind)}\n`;
}

describe('pages of connectors', () => {
  it('there is one for each', () => {
    expect(Object.keys(pages)).toEqual(expect.arrayContaining(connectorKinds.map(({ kind }) => connectorOf(kind))));
  });

  it.each(Object.entries(pages))('%s: options are those of the code', async (connector, page) => {
    const kinds = connectorKinds.filter(({ kind }) => connectorOf(kind) === connector);
    const expected = fill(read(page), 'options', kinds.map(sectionOf).join('\n'));
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
});
