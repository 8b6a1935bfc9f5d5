import { describe, expect, it } from 'vitest';
import type { Schema, SchemaText } from '../../src/core/schema.js';
import { compareSchemas } from '../../src/schema/compare/index.js';
import { type DecodeFailure, jsonSchema, localRegistry, openCodec } from '../../src/schema/index.js';
import { jsonPlaces } from '../../src/schema/json-schema/places.js';
import { jsonReferences } from '../../src/schema/json-schema/references.js';
import { jsonFields } from '../../src/schema/shape/json.js';
import { typesOf } from '../../src/schema/typescript/index.js';

type Referred = Readonly<Record<string, object>>;

const schemaOf = (definition: object, referred: Referred = {}): Schema<unknown> =>
  jsonSchema<unknown>({
    subject: 's',
    definition: JSON.stringify(definition),
    framing: 'none',
    references: Object.fromEntries(Object.entries(referred).map(([name, json]) => [name, schemaOf(json)])),
  });

const textOf = (definition: object, referred: Referred = {}): SchemaText => ({
  format: 'json-schema',
  text: JSON.stringify(definition),
  references: Object.entries(referred).map(([name, json]) => ({ name, subject: name, schema: textOf(json) })),
});

/** What becomes of values under a schema: `true` where they are read, else the reason. */
async function verdicts(values: readonly unknown[], definition: object, referred: Referred = {}) {
  const codec = await openCodec(schemaOf(definition, referred), localRegistry());
  return values.map((value) => {
    try {
      codec.decode(Buffer.from(JSON.stringify(value)));
      return true;
    } catch (error) {
      return (error as DecodeFailure).reason;
    }
  });
}

const refused = 'schema-violation';
const draft = { $schema: 'https://json-schema.org/draft/2020-12/schema' };

describe('references of a JSON schema', () => {
  it('to itself by its own address, and to what it brings along, are inside', async () => {
    const item = { $id: 'item.json', type: 'integer', $defs: { flag: { type: 'boolean' } } };
    const root = {
      ...draft,
      $id: 'https://example.org/a/root.json',
      properties: {
        itself: { $ref: 'root.json#/$defs/word' },
        beside: { $ref: 'item.json' },
        whole: { $ref: 'https://example.org/a/item.json' },
        within: { $ref: '/a/item.json#/$defs/flag' },
        named: { $ref: '#here' },
      },
      $defs: { item, word: { type: 'string' }, named: { $anchor: 'here', type: 'null' } },
    };
    expect([...jsonReferences(JSON.stringify(root))]).toEqual([]);
    const good = { itself: 'x', beside: 1, whole: 1, within: true, named: null };
    expect(await verdicts([good], root)).toEqual([true]);
    for (const name of Object.keys(good)) expect(await verdicts([{ [name]: [] }], root)).toEqual([refused]);
  });

  it('to others go by the name that they are written with, wherever the schema says it lies', async () => {
    const root = {
      $id: 'https://example.org/a/root.json',
      properties: { price: { $ref: 'money.json#/definitions/m' } },
    };
    const money = { definitions: { m: { type: 'integer' } } };
    expect([...jsonReferences(JSON.stringify(root))]).toEqual([['money.json', 'https://example.org/a/money.json']]);
    for (const inner of [
      money,
      { $id: 'https://example.org/a/money.json', ...money },
      { $id: 'urn:example:money', ...money },
    ])
      expect(await verdicts([{ price: 1 }, { price: 'x' }], root, { 'money.json': inner })).toEqual([true, refused]);
  });

  it('are not seen in values, and are in properties that are called like them', () => {
    const schema = {
      enum: [{ $ref: 'no.json' }],
      default: { $ref: 'no.json' },
      properties: { $ref: { const: { $ref: 'no.json' } }, enum: { $ref: 'yes.json' } },
    };
    expect([...jsonReferences(JSON.stringify(schema)).keys()]).toEqual(['yes.json']);
  });

  it('of a text that is not JSON are none: the error is that of the schema', async () => {
    expect(jsonReferences('{ "type": ')).toEqual(new Map());
    const broken = jsonSchema<unknown>({ subject: 's', definition: '{ "type": ', framing: 'none' });
    await expect(openCodec(broken, localRegistry())).rejects.toMatchObject({ code: 'schema' });
  });

  it('to the schema of schemas need no file', async () => {
    const root = { ...draft, $ref: draft.$schema };
    expect(await verdicts([{ type: 'object' }, { type: 5 }], root)).toEqual([true, refused]);
  });

  it('lead the types, the columns and the comparison to the same places', () => {
    const root = {
      title: 'Order',
      type: 'object',
      properties: {
        id: { $ref: '#id' },
        price: { $ref: 'money.json#/definitions/m' },
        both: { allOf: [{ properties: { a: { type: 'string' } } }, { properties: { b: { type: 'number' } } }] },
        nested: { $ref: '#/definitions/list' },
      },
      required: ['id', 'price', 'both', 'nested'],
      definitions: {
        id: { $anchor: 'id', type: 'integer' },
        m: { type: 'boolean' },
        list: { type: 'array', items: { $ref: '#/definitions/list' } },
      },
    };
    const money = (type: string) => ({ definitions: { m: { $ref: '#/definitions/amount' }, amount: { type } } });
    const text = (type = 'string') => textOf(root, { 'money.json': money(type) });
    expect(typesOf(text())).toMatchInlineSnapshot(`
      "export interface Order {
        readonly id: number;
        readonly price: string;
        readonly both: OrderBoth1 & OrderBoth2;
        readonly nested: readonly unknown[];
      }

      export interface OrderBoth1 {
        readonly a?: string;
      }

      export interface OrderBoth2 {
        readonly b?: number;
      }"
    `);
    expect(jsonFields(text())?.map(({ shape }) => shape.kind)).toEqual(['integer', 'text', 'nullable', 'list']);
    expect(compareSchemas(text(), text('number')).backward).toEqual([
      'price: string may be written, and number is read',
    ]);
    const { find } = jsonPlaces(text());
    expect(find('nowhere.json#/a', {})).toBeUndefined();
    expect(find('#nowhere', {})).toBeUndefined();
  });
});

describe('unique items of a JSON schema', () => {
  it('are told apart by what they hold', async () => {
    const unique = [
      [1, '1', true, null, [1], ['1'], { a: 1 }, { a: '1' }, { a: { b: 1 } }, '{"a":1}'],
      [[], {}, [[]], [{}], 0, false, ''],
    ];
    const twice = [
      [1, 2, 1.0],
      [0, -0],
      [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
      ],
      [[{ x: 1, y: 2 }], [{ y: 2, x: 1 }]],
    ];
    expect(await verdicts(unique, { uniqueItems: true })).toEqual(unique.map(() => true));
    expect(await verdicts(twice, { uniqueItems: true })).toEqual(twice.map(() => refused));
    expect(await verdicts(twice, { uniqueItems: false })).toEqual(twice.map(() => true));
  });

  it('cost no more time than there are items', async () => {
    const many = Array.from({ length: 100_000 }, (_, a) => ({ a }));
    const started = performance.now();
    expect(await verdicts([many, [...many, { a: 5 }]], { uniqueItems: true })).toEqual([true, refused]);
    expect(performance.now() - started).toBeLessThan(20_000); // in pairs it would be minutes
  });
});

describe('patterns of a JSON schema', () => {
  it('are read by the rules of Unicode, or by older ones where only those allow them', async () => {
    const values = ['a-b.c@d_e', 'no'];
    for (const pattern of ['^[\\w-.]+\\@d\\_e$', '^[\\w.-]+@d_e$'])
      expect(await verdicts(values, { pattern })).toEqual([true, refused]);
    expect(await verdicts(['ä', '1'], { pattern: '^\\p{L}$' })).toEqual([true, refused]);
    await expect(verdicts([], { pattern: '(' })).rejects.toThrow('is not a valid JSON schema');
  });
});
