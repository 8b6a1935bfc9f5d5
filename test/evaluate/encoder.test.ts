import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { inferColumns } from '../../src/evaluate/encoder.js';
import { openTable } from '../../src/evaluate/table.js';

it.each(['constructor', 'toString', '__proto__'])('a column may be called %s', (name) => {
  const row = (value: unknown) => JSON.parse(`{ "${name}": ${value}, "label": true }`);
  const columnsOf = (declared?: Readonly<Record<string, 'category'>>) =>
    Object.entries(inferColumns([row(1), { label: false }, row(2)], 'label', declared));
  expect(columnsOf()).toEqual([[name, 'number']]);
  expect(columnsOf(Object.fromEntries([[name, 'category']]))).toEqual([[name, 'category']]);
});

it('a column called constructor is missing where a row does not have it', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'millrace-encoder-')), 'rows.ndjson');
  writeFileSync(path, '{"constructor":7}\n{"other":1}\n');
  const cells: unknown[] = [];
  for await (const rows of (await openTable(path)).read(() => {}))
    for (let at = 0; at < rows.size; at++) cells.push(rows.column('constructor')(at));
  rmSync(dirname(path), { recursive: true });
  expect(cells).toEqual([7, undefined]);
});
