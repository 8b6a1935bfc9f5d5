import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { SchemaData } from '../../src/core/schema.js';
import { schemaTextOf } from '../../src/schema/index.js';

const root = mkdtempSync(join(tmpdir(), 'millrace-schemas-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function fileOf(path: string, text: string): URL {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return pathToFileURL(file);
}
const protobuf = (definition: URL): SchemaData => ({ format: 'protobuf', subject: 'orders', definition });
const json = (subject: string, definition: string, references?: SchemaData['references']): SchemaData => ({
  format: 'json-schema',
  subject,
  definition,
  references,
});

describe('the text of a schema', () => {
  it('comes with those of the files that it refers to, beside it or in a folder above', async () => {
    const money = 'message Money {}';
    const item = 'import "money/money.proto"; message Item {}';
    const order = `import "google/protobuf/timestamp.proto"; import 'confluent/meta.proto'; import public "item.proto";`;
    fileOf('money/money.proto', money);
    fileOf('shop/v1/item.proto', item);
    const ofMoney = { format: 'protobuf', text: money, references: [] };
    const ofItem = {
      ...{ format: 'protobuf', text: item },
      references: [{ name: 'money/money.proto', subject: 'money/money.proto', schema: ofMoney }],
    };
    expect(await schemaTextOf(protobuf(fileOf('shop/v1/order.proto', order)))).toEqual({
      ...{ format: 'protobuf', text: order },
      references: [{ name: 'item.proto', subject: 'item.proto', schema: ofItem }],
    });
  });

  it('refers to files four folders above, and to none further up', async () => {
    fileOf('top.proto', '');
    const text = 'import "top.proto";';
    expect((await schemaTextOf(protobuf(fileOf('1/2/3/4/order.proto', text)))).references).toHaveLength(1);
    await expect(schemaTextOf(protobuf(fileOf('1/2/3/4/5/order.proto', text)))).rejects.toThrow(
      'schema orders refers to "top.proto", which is nowhere',
    );
  });

  it('comes with those that it is given, which go before files', async () => {
    const given = json('cents', '{"type":"integer"}');
    const text = '{"$ref":"money.json"}';
    fileOf('money.json', '{}');
    const schema = {
      ...json('order', ''),
      definition: fileOf('order.json', text),
      references: { 'money.json': given },
    };
    expect(await schemaTextOf(schema)).toEqual({
      ...{ format: 'json-schema', text },
      references: [
        {
          ...{ name: 'money.json', subject: 'cents' },
          schema: { format: 'json-schema', text: '{"type":"integer"}', references: [] },
        },
      ],
    });
    await expect(schemaTextOf(json('order', text))).rejects.toMatchObject({
      ...{ code: 'schema', permanent: true, message: 'schema order refers to "money.json", which is nowhere' },
    });
  });

  it('refers to others over 32 references at most: a longer chain has no end', async () => {
    const chainOf = (length: number): SchemaData =>
      Array.from({ length }).reduce<SchemaData>(
        (last, _, n) => json(`s${length - n}`, '{}', { 'next.json': last }),
        json('last', '{}'),
      );
    await schemaTextOf(chainOf(32));
    await expect(schemaTextOf(chainOf(33))).rejects.toMatchObject({
      ...{ code: 'schema', permanent: true, message: 'schema s1 refers to itself', where: 'last' },
    });
    fileOf('b.proto', 'import "a.proto";');
    await expect(schemaTextOf(protobuf(fileOf('a.proto', 'import "b.proto";')))).rejects.toThrow('refers to itself');
  });

  it('says that its file is not there, or that there is none', async () => {
    const gone = pathToFileURL(join(root, 'gone.proto'));
    await expect(schemaTextOf(protobuf(gone))).rejects.toMatchObject({
      ...{ code: 'schema', permanent: true, where: 'orders', message: `cannot read the schema file ${gone}` },
    });
    await expect(schemaTextOf({ format: 'avro', subject: 'orders', definition: undefined })).rejects.toMatchObject({
      ...{ code: 'schema', permanent: true, message: 'schema orders has no definition' },
    });
  });
});
