import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { losesNothing } from '../../../connectors/clickhouse/table/migration.js';
import { schemaColumns } from '../../../connectors/clickhouse/table/schema-columns.js';
import { bareTypeOf, quotedName, tupleElements, typeTextOf } from '../../../connectors/clickhouse/table/type-text.js';
import { valueTypeOf } from '../../../connectors/clickhouse/values/index.js';

describe('losesNothing', () => {
  it('is true of integers only where the wider one holds both ends of the other', () => {
    const integers = fc.constantFrom(...[8, 16, 32, 64, 128, 256].flatMap((bits) => [`Int${bits}`, `UInt${bits}`]));
    const ends = (type: string) => {
      const [, unsigned, bits] = /^(U?)Int(\d+)$/.exec(type) ?? [];
      const size = 2n ** BigInt(bits ?? 0);
      return unsigned ? [0n, size - 1n] : [-size / 2n, size / 2n - 1n];
    };
    fc.assert(
      fc.property(integers, integers, (from, to) => {
        const holds = ends(from).every((end) => valueTypeOf(to).fits(end));
        expect(losesNothing(from, to)).toBe(holds);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['UInt8', 'Nullable(UInt32)', true],
    ['Nullable(UInt8)', 'UInt8', false],
    ['String', 'LowCardinality(String)', true],
    ['String', 'LowCardinality(Nullable(String))', true],
    ['LowCardinality(Nullable(String))', 'String', false],
    ['Float32', 'Float64', true],
    ['Float64', 'Float32', false],
    ['Decimal(10, 2)', 'Decimal(12, 4)', true],
    ['Decimal(10, 2)', 'Decimal(11, 4)', false],
    ["Enum8('a' = 1)", "Enum16('a' = 1, 'b' = 2)", true],
    ["Enum8('a' = 1)", "Enum8('a' = 2)", false],
    ["Enum8('a' = 1)", 'String', true],
    ['Array(UInt8)', 'Array(Nullable(UInt16))', true],
    ['DateTime64(3)', 'DateTime64(6)', false], // a process of before writes ticks of the old size
    ['DateTime', 'DateTime64(3)', false],
    ['UInt32', 'String', false],
    ['UInt32', 'Float64', false],
    ['Map(String, UInt8)', 'Map(String, UInt16)', false],
  ])('%s to %s: %s', (from, to, expected) => {
    expect(losesNothing(from, to)).toBe(expected);
  });
});

describe('types as text', () => {
  it('are taken apart at the outermost brackets', () => {
    expect(typeTextOf("Map(String, Tuple(a Array(UInt8), b Enum8('x, (' = 1)))")).toEqual({
      name: 'Map',
      parameters: ['String', "Tuple(a Array(UInt8), b Enum8('x, (' = 1))"],
    });
    expect(typeTextOf('UInt8')).toEqual({ name: 'UInt8', parameters: [] });
    expect(bareTypeOf('LowCardinality(Nullable(String))')).toEqual({ type: 'String', nullable: true });
    expect(tupleElements(['a UInt8', '`odd name` DateTime64(3)', 'Array(String)'])).toEqual([
      { name: 'a', type: 'UInt8' },
      { name: 'odd name', type: 'DateTime64(3)' },
      { name: undefined, type: 'Array(String)' },
    ]);
  });

  it('give back any name of an element', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: fc.constantFrom('`', "'", '\\', ' ', ',', '(', ')', 'a', 'ü') }),
        (name) => {
          const [derived] = Object.values(
            schemaColumns([
              {
                name: 'leg',
                shape: {
                  kind: 'record',
                  fields: [
                    { name, shape: { kind: 'boolean' } },
                    { name: 'b', shape: { kind: 'text' } },
                  ],
                },
              },
            ] as never).columns,
          );
          expect(derived).toBe(`Tuple(${quotedName(name)} Bool, \`b\` String)`);
          const { parameters } = typeTextOf(derived as string);
          expect(tupleElements(parameters)).toEqual([
            { name, type: 'Bool' },
            { name: 'b', type: 'String' },
          ]);
        },
      ),
    );
  });
});
