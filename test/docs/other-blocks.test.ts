import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ClickHouse, openClickHouse } from '../../connectors/clickhouse/open.js';
import { filesUnder } from '../import-graph.js';
import { read } from './generated.js';

// The blocks of SQL, JSON and YAML in documents, as blocks.test.ts looks at those of TypeScript. SQL is parsed by chdb, also where its
// answers have a test of their own.

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'ARCHITECTURE.md',
  ...filesUnder(['docs'], (name) => name.endsWith('.md')),
];
const blocksOf = (language: string) =>
  documents.flatMap((document) =>
    [...read(document).matchAll(new RegExp(`^ *\`\`\`${language}\\n(.*?)^ *\`\`\``, 'gms'))].map(
      ([, text = ''], i) => ({
        title: `${document}, ${language} ${i + 1}`,
        text,
      }),
    ),
  );

let folder: string;
let db: ClickHouse;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-blocks-'));
  db = await openClickHouse({ path: folder });
});
afterAll(async () => {
  await db?.close();
  rmSync(folder, { recursive: true });
});

it.each(blocksOf('sql'))('$title: ClickHouse can parse it', async ({ text }) => {
  for (const statement of text.split(/;\s*$/m).filter((each) => each.trim() !== ''))
    expect(await db.query('SELECT formatQuerySingleLine({sql:String}) AS sql', { sql: statement })).toHaveLength(1);
});

it.each(blocksOf('json'))('$title: it is JSON', ({ text }) => {
  for (const line of text.includes('\n{') ? text.trim().split('\n') : [text])
    expect(JSON.parse(line)).toBeTypeOf('object');
});

it.each(blocksOf('yaml'))('$title: the chart has these values', ({ text }) => {
  const { properties } = JSON.parse(read('deploy/helm/millrace/values.schema.json')) as { properties: object };
  const names = [...text.matchAll(/^(\w+):/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(3);
  expect(Object.keys(properties)).toEqual(expect.arrayContaining(names));
});
