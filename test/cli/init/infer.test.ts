import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inferCsv } from '../../../src/cli/init/infer-csv.js';
import { inferJsonSchema } from '../../../src/cli/init/infer-json.js';
import { jsonSchema, localRegistry, openCodec } from '../../../src/schema/index.js';

const split = (line: string, delimiter: string) => line.split(delimiter);

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
    [['a,a', '1,2'], false, ',', { c1: 'text', c2: 'text' }],
    [['id,gone', '1,', '2,'], true, ',', { id: 'number', gone: 'text?' }],
  ])('of CSV: %j', (lines, header, delimiter, columns) => {
    expect(inferCsv(lines, split)).toEqual({ header, delimiter, columns });
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
});
