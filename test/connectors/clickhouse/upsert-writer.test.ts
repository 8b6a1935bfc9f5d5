import { expect, it } from 'vitest';
import { Batches } from '../../../connectors/clickhouse/table/batches.js';
import { UpsertWriter } from '../../../connectors/clickhouse/table/upsert-writer.js';
import { originAt } from '../../../src/testing/contract.js';

/** A writer of an incarnation, and the rows that it inserts. */
function writing(incarnation: number) {
  const bodies: string[] = [];
  const insert = async (_table: string, _columns: readonly string[], body: Buffer) => {
    bodies.push(body.toString());
  };
  const options = { table: 'users', key: 'id', columns: { id: 'String', n: 'Float64' }, orderBy: [] };
  const batches = new Batches({ table: 'users', columns: ['n', 'id'], rowsMax: 10, insert });
  return { writer: new UpsertWriter(options as never, batches, incarnation), bodies };
}

it('gives each change a version that is above those of all earlier ones, and of earlier incarnations', async () => {
  const { writer, bodies } = writing(2 ** 20 - 1);
  const change = { key: 'a', before: null, after: { id: 'a', n: 1 } };
  await writer.write([change, { ...change, before: change.after, after: null }], [originAt(0), originAt(7)]);
  await writer.prepare();
  const base = BigInt(2 ** 20 - 1) << 44n;
  expect(bodies.join('')).toBe(`[1,"a",${base},0]\n[1,"a",${base + 7n},1]\n`);
});

it('refuses an incarnation that a version of 64 bits has no room for', () => {
  expect(() => writing(2 ** 20)).toThrow('incarnation 1048576 does not fit into a version');
});
