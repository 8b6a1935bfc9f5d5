import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inferJsonSchema } from '../../../src/cli/init/samples/infer-json.js';
import { jsonSchema, localRegistry, openCodec } from '../../../src/schema/index.js';
import { delimiterOf, inferCsv } from '../../../src/schema/plain/infer-csv.js';

const columnsOf = (lines: readonly string[]) => {
  const delimiter = delimiterOf(lines[0] ?? '');
  const rows = lines.map((line) => line.split(delimiter));
  return { delimiter, ...inferCsv(rows, 'rows.csv:1', { delimiter }) };
};

const dates = (cell: string, order: 'dmy' | 'mdy' | undefined) => ({ dates: { column: 'at', cell, order } });

describe('what rows look like', () => {
  it.each([
    [
      ['id,at,n,ok', 'a,2026-01-01,1.5,true', 'b,2026-01-02T10:00:00Z,,false'],
      true,
      ',',
      { id: 'text', at: 'date', n: 'number?', ok: 'boolean' },
    ],
    [['a;1', 'b;2'], false, ';', { c1: 'text', c2: 'number' }],
    [['zip\tcode', '01234\t7', '08001\t8'], true, '\t', { zip: 'text', code: 'number' }],
    [['name', 'x'], true, ',', { name: 'text' }],
    [['id, n', 'a,1'], true, ',', { id: 'text', n: 'number' }],
    [['a,1', 'b,9007199254740991'], false, ',', { c1: 'text', c2: 'number' }],
    [['a,1', 'b,-9007199254740992'], false, ',', { c1: 'text', c2: 'text' }],
    [['id,gone', '1,', '2,'], true, ',', { id: 'number', gone: 'text?' }],
    [['id;n;m', 'a;1.234,5;7', 'b;-2;8'], true, ';', { id: 'text', n: 'number', m: 'number' }, { decimal: ',' }],
    [['id,n,sex', 'a,NA,m', 'b,2,NA'], true, ',', { id: 'text', n: 'number?', sex: 'text?' }, { nullLiteral: 'NA' }],
    [['id,country', 'a,NA', 'b,DE'], true, ',', { id: 'text', country: 'text' }],
    [['id;n;m', 'a;1,5;7.5', 'b;2;8'], true, ';', { id: 'text', n: 'text', m: 'number' }],
    [
      ['id;at', 'a;01.02.2026', 'b;03.04.2026 12:30'],
      true,
      ';',
      { id: 'text', at: 'date' },
      dates('01.02.2026', 'dmy'),
    ],
    [
      ['id,at', 'a,01/02/2026', 'b,12/31/2026 1:30 PM'],
      true,
      ',',
      { id: 'text', at: 'date' },
      dates('01/02/2026', 'mdy'),
    ],
    [
      ['id,at', 'a,-', 'b,31.12.2026'],
      true,
      ',',
      { id: 'text', at: 'date?' },
      { ...dates('31.12.2026', 'dmy'), nullLiteral: '-' },
    ],
    [['id,at', 'a,1/2/2026', 'b,31/12/2026'], true, ',', { id: 'text', at: 'date' }, dates('1/2/2026', 'dmy')],
    [['id,at', 'a,1/2/2026', 'b,2/3/2026'], true, ',', { id: 'text', at: 'text' }, dates('1/2/2026', undefined)],
    [['id,at', 'a,31/1/2026', 'b,1/31/2026'], true, ',', { id: 'text', at: 'text' }, dates('31/1/2026', undefined)],
  ])('of CSV: %j', (lines, header, delimiter, columns, more: object = {}) => {
    expect(columnsOf(lines)).toEqual({ header, delimiter, columns, ...more });
  });

  it('of CSV: commas of thousands are no decimal commas between commas', () => {
    const rows = [
      ['id', 'price'],
      ['a', '1,234'],
      ['b', '56'],
    ];
    const columns = { id: 'text', price: 'text' };
    expect(inferCsv(rows, 'rows.csv:1', { delimiter: ',' })).toEqual({ header: true, columns });
    expect(inferCsv(rows, 'rows.csv:1', { delimiter: ';' })).toMatchObject({ decimal: ',' });
  });

  it.each([
    [',id,at', 'column 1 of the header has no name'],
    ['id,n,', 'column 3 of the header has no name'],
    ['id,n,id', 'column 3 of the header is called id, as another one is'],
  ])('of CSV: no header like %s', (line, message) => {
    expect(() => columnsOf([line, '0,1,2'])).toThrow(
      expect.objectContaining({ code: 'config', where: 'rows.csv:1', message }),
    );
  });

  it('of JSON: a schema that all of them fit', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue({ maxDepth: 3 })), { minLength: 1 }),
        async (values) => {
          const definition = JSON.stringify(inferJsonSchema(values));
          const codec = await openCodec(jsonSchema({ subject: 'x', definition, framing: 'none' }), localRegistry());
          for (const value of values)
            expect(codec.decode(codec.encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
        },
      ),
      { numRuns: 20 },
    ));

  it('of JSON: what some lack is not required, what was null may be', () => {
    expect(
      inferJsonSchema([
        { id: 'a', n: 1, tags: ['x'] },
        { id: 'b', n: null },
      ]),
    ).toEqual({
      type: 'object',
      properties: {
        id: { type: 'string' },
        n: { type: ['number', 'null'] },
        tags: { type: 'array', items: { type: 'string' } },
      },
      required: ['id', 'n'],
    });
  });

  it('of JSON: what is always null may become anything', () => {
    expect(inferJsonSchema([{ note: null }]).properties).toEqual({ note: {} });
  });

  it('of JSON: what some lack is not required, even where all objects inherit it', () => {
    expect(inferJsonSchema([{ constructor: 'x', toString: 1 }, { toString: 2 }])).toEqual({
      type: 'object',
      properties: { constructor: { type: 'string' }, toString: { type: 'number' } },
      required: ['toString'],
    });
  });

  it('of JSON: numbers that were rounded say so', () => {
    const { properties } = inferJsonSchema([{ id: 2 ** 53, n: 0.1 }]);
    expect(properties).toEqual({
      id: { type: 'number', description: expect.stringContaining('rounded') },
      n: { type: 'number' },
    });
  });
});
