import { describe, expect, it } from 'vitest';
import { valueTypeOf } from '../../../connectors/clickhouse/values/index.js';

// What a column takes, as the text that ClickHouse reads, and what it has no room for. The same types are written to the engine in
// values-suite.ts.

const written = (type: string, value: unknown, unit?: 'millis' | 'micros' | 'days') => {
  const { fits, write } = valueTypeOf(type, unit);
  return fits(value) ? write(value) : 'no room';
};
const all = (type: string, values: readonly unknown[], unit?: 'millis' | 'micros' | 'days') =>
  values.map((value) => written(type, value, unit));
const nothing = (type: string, values: readonly unknown[], unit?: 'millis' | 'micros' | 'days') =>
  expect([type, all(type, values, unit)]).toEqual([type, values.map(() => 'no room')]);

describe('whole numbers', () => {
  it.each([8, 16, 32])('of %i bits', (bits) => {
    const half = 2 ** (bits - 1);
    expect(all(`Int${bits}`, [-half, half - 1, BigInt(-half), BigInt(half - 1), true, false])).toEqual(
      [-half, half - 1, -half, half - 1, 1, 0].map(String),
    );
    nothing(`Int${bits}`, [-half - 1, half, BigInt(half), 0.5, Number.NaN, '1', null]);
    expect(all(`UInt${bits}`, [0, 2 * half - 1, BigInt(2 * half - 1)])).toEqual(
      [0, 2 * half - 1, 2 * half - 1].map(String),
    );
    nothing(`UInt${bits}`, [-1, 2 * half, -1n, BigInt(2 * half)]);
  });

  it.each([64, 128, 256])('of %i bits', (bits) => {
    const half = 2n ** BigInt(bits - 1);
    expect(all(`Int${bits}`, [-half, half - 1n, String(-half), `${half - 1n}`, true, -5, 2 ** 60])).toEqual(
      [-half, half - 1n, -half, half - 1n, 1, -5, 2n ** 60n].map(String),
    );
    nothing(`Int${bits}`, [
      -half - 1n,
      half,
      String(half),
      '1.0',
      '',
      ' 1',
      '1e3',
      0.5,
      Number.POSITIVE_INFINITY,
      1e80,
      null,
    ]);
    expect(all(`UInt${bits}`, [0, 7, 2n * half - 1n, '007'])).toEqual(['0', '7', String(2n * half - 1n), '7']);
    nothing(`UInt${bits}`, [-1, -1n, '-1', 2n * half, -(2 ** 60)]);
  });

  it('as texts have no more digits than the largest', () => {
    expect(written('Int256', `${'0'.repeat(79)}1`)).toBe('1');
    expect(written('Int256', `${'0'.repeat(80)}1`)).toBe('no room');
  });
});

describe('numbers with fractions', () => {
  it('of 64 and 32 bits', () => {
    expect(
      all('Float64', [0.1, -0, 1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5n]),
    ).toEqual(['0.1', '-0', '1e+300', '"nan"', '"inf"', '"-inf"', '5']);
    nothing('Float64', ['1', true, 2n ** 53n, null]);
    const most = 2 ** 128 - 2 ** 104;
    expect(all('Float32', [most, -most, Number.NaN, Number.POSITIVE_INFINITY])).toEqual([
      `${most}`,
      `${-most}`,
      '"nan"',
      '"inf"',
    ]);
    nothing('Float32', [2 ** 128 - 2 ** 103, -(2 ** 128), 1e39]);
  });

  it('that are decimal are never rounded', () => {
    expect(all('Decimal(5, 2)', ['123.45', '-0.5', 12.5, 7n, '000123.4500', 1e-2])).toEqual([
      '"123.45"',
      '"-0.5"',
      '"12.5"',
      '"7"',
      '"000123.4500"',
      '"0.01"',
    ]);
    nothing('Decimal(5, 2)', ['1234.5', '0.125', 0.1 + 0.2, 1e-3, '1.', '.5', '1e2', '', 'x', Number.NaN, true, null]);
    expect(all('Decimal(38, 9)', [1.5e-7, -1.5e-7, 1e21, 1.25e21, 1.5e22])).toEqual([
      '"0.00000015"',
      '"-0.00000015"',
      '"1000000000000000000000.0"',
      '"1250000000000000000000.0"',
      '"15000000000000000000000.0"',
    ]);
    expect(written('Decimal(1, 0)', `${'0'.repeat(399)}1`)).toBe(`"${'0'.repeat(399)}1"`);
    expect(written('Decimal(1, 0)', `${'0'.repeat(400)}1`)).toBe('no room');
  });

  it('that are decimal have the digits of their name', () => {
    for (const [name, digits] of [
      ['Decimal32', 9],
      ['Decimal64', 18],
      ['Decimal128', 38],
      ['Decimal256', 76],
    ] as const) {
      expect(written(`${name}(2)`, '9'.repeat(digits - 2))).toBe(`"${'9'.repeat(digits - 2)}"`);
      expect(written(`${name}(2)`, '9'.repeat(digits - 1))).toBe('no room');
      expect(written(name, '1.5')).toBe('no room');
    }
    expect(all('Decimal(3)', ['999', '1000', '0.5'])).toEqual(['"999"', 'no room', 'no room']);
  });
});

describe('times', () => {
  const from1900 = Date.UTC(1900, 0, 1);
  const before2300 = Date.UTC(2300, 0, 1) - 1;

  it('as ticks of each precision, cut off below one, before 1970 too', () => {
    const at = [1_234, -1_234, 0, new Date(1_234), 1.5];
    expect(all('DateTime64(3)', at)).toEqual(['1234', '-1234', '0', '1234', '1']);
    expect(all('DateTime64', at)).toEqual(all('DateTime64(3)', at));
    expect(all('DateTime64(0)', at)).toEqual(['1', '-2', '0', '1', '0']);
    expect(all('DateTime64(6)', at)).toEqual(['1234000', '-1234000', '0', '1234000', '1000']);
    expect(all('DateTime64(3)', [1_234_567n, -1n, -1_000n])).toEqual(['1234', '-1', '-1']);
    expect(all('DateTime64(6)', [1_234_567n])).toEqual(['1234567']);
    expect(all('DateTime64(9)', [1_234_567n, -1n])).toEqual(['1234567000', '-1000']);
    expect(all('DateTime64(6)', [1_234_567, -1.5], 'micros')).toEqual(['1234567', '-2']);
    expect(all('DateTime64(3)', [1_234_567, -1], 'micros')).toEqual(['1234', '-1']);
    expect(all('DateTime64(3)', [2], 'days')).toEqual(['172800000']);
  });

  it('from 1900 to 2299, and of nanoseconds to 2262', () => {
    expect(all('DateTime64(3)', [from1900, before2300])).toEqual([String(from1900), String(before2300)]);
    nothing('DateTime64(3)', [from1900 - 1, before2300 + 1, new Date(Number.NaN), '2024-01-01', true, null]);
    expect(written('DateTime64(9)', 9_223_372_036_853)).toBe('9223372036853000000');
    nothing('DateTime64(9)', [9_223_372_036_854]);
  });

  it('as seconds from 1970 to 2106', () => {
    expect(all('DateTime', [0, 1_999, new Date(5_000), 2 ** 32 * 1_000 - 1])).toEqual([
      '0',
      '1',
      '5',
      String(2 ** 32 - 1),
    ]);
    expect(written('DateTime32', 1_999_999, 'micros')).toBe('1');
    nothing('DateTime', [-1, 2 ** 32 * 1_000, 'now']);
  });

  it('as days', () => {
    expect(all('Date', [0, 86_399_999, Date.UTC(2149, 5, 6)])).toEqual([
      '"1970-01-01"',
      '"1970-01-01"',
      '"2149-06-06"',
    ]);
    expect(written('Date', 2, 'days')).toBe('"1970-01-03"');
    nothing('Date', [-1, Date.UTC(2149, 5, 7)]);
    expect(all('Date32', [from1900, -1, before2300])).toEqual(['"1900-01-01"', '"1969-12-31"', '"2299-12-31"']);
    nothing('Date32', [from1900 - 1, before2300 + 1]);
  });
});

describe('texts', () => {
  it('take texts, bytes as they are, and the JSON of all else', () => {
    expect(all('String', ['a"b', 5, 2n ** 70n, true, { a: 1n }, new Map([['k', 1]])])).toEqual([
      '"a\\"b"',
      '"5"',
      `"${2n ** 70n}"`,
      '"true"',
      '"{\\"a\\":\\"1\\"}"',
      '"{\\"k\\":1}"',
    ]);
    expect(written('String', Uint8Array.of(0x41, 0xff))).toBe('"A\u00ff"');
    const circular: { self?: unknown } = {};
    circular.self = circular;
    nothing('String', ['\ud800', null, circular, () => 1, new Set([1])]);
  });

  it('of a length, of names, of addresses have to be so', () => {
    expect(all('FixedString(3)', ['abc', 'aü', Uint8Array.of(65, 66, 67)])).toEqual([
      '"abc"',
      expect.any(String),
      '"ABC"',
    ]);
    nothing('FixedString(3)', ['ab', 'abcd', 'äö', Uint8Array.of(1), '\ud800', 123]);
    const id = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
    expect(all('UUID', [id, id.toUpperCase()])).toEqual([`"${id}"`, `"${id.toUpperCase()}"`]);
    nothing('UUID', [id.slice(1), `${id}0`, `{${id}}`, 7]);
    expect(all('IPv4', ['127.0.0.1'])).toEqual(['"127.0.0.1"']);
    nothing('IPv4', ['::1', '256.0.0.1', 1]);
    expect(all('IPv6', ['::1'])).toEqual(['"::1"']);
    nothing('IPv6', ['127.0.0.1', 'fe80::1%eth0']);
    for (const name of ['Enum', 'Enum8', 'Enum16']) {
      expect(all(`${name}('a' = 1, 'b c' = -2)`, ['a', 'b c'])).toEqual(['"a"', '"b c"']);
      nothing(`${name}('a' = 1, 'b c' = -2)`, ['c', '1', 1]);
    }
    expect(all('Bool', [true, false, 1, 0])).toEqual(['true', 'false', 'true', 'false']);
    nothing('Bool', [2, 'true', null]);
  });
});

describe('values of values', () => {
  it('may be null, or are of the type within', () => {
    expect(all('Nullable(UInt8)', [null, undefined, 5])).toEqual(['null', 'null', '5']);
    nothing('Nullable(UInt8)', [256]);
    expect(all('LowCardinality(String)', ['a'])).toEqual(['"a"']);
    expect(written('SimpleAggregateFunction(sum, UInt8)', 5)).toBe('5');
    nothing('SimpleAggregateFunction(sum, UInt8)', [256]);
  });

  it('are lists', () => {
    expect(all('Array(UInt8)', [[], [1, 2], Uint8Array.of(3, 4)])).toEqual(['[]', '[1,2]', '[3,4]']);
    nothing('Array(UInt8)', [[1, 256], 'ab', { length: 0 }, new DataView(new ArrayBuffer(1)), null]);
    expect(written('Array(Array(String))', [['a'], []])).toBe('[["a"],[]]');
  });

  it('are maps, whose keys are parsed where they are numbers', () => {
    expect(all('Map(String, UInt8)', [{ a: 1, b: 2 }, new Map([['a', 1]]), {}])).toEqual([
      '{"a":1,"b":2}',
      '{"a":1}',
      '{}',
    ]);
    expect(all('Map(UInt64, UInt8)', [{ 7: 1 }, new Map([[7n, 1]])])).toEqual(['{"7":1}', '{"7":1}']);
    expect(written('Map(LowCardinality(UInt8), UInt8)', { 7: 1 })).toBe('{"7":1}');
    nothing('Map(UInt8, UInt8)', [{ a: 1 }, { 256: 1 }, { 1: 256 }, { '1.5': 1 }]);
    nothing('Map(String, UInt8)', [[1], new Date(), new Set(), null, 'a']);
  });

  it('are tuples, by place or by name', () => {
    expect(all('Tuple(UInt8, String)', [[1, 'a']])).toEqual(['[1,"a"]']);
    nothing('Tuple(UInt8, String)', [[1], [1, 'a', 2], ['a', 1], { 0: 1, 1: 'a' }]);
    expect(all('Tuple(n UInt8, s String)', [{ n: 1, s: 'a', more: 2 }])).toEqual(['{"n":1,"s":"a"}']);
    nothing('Tuple(n UInt8, s String)', [[1, 'a'], { n: 1 }, { n: 256, s: 'a' }, null, new Map()]);
  });

  it('of types that are not known are JSON', () => {
    expect(all('Dynamic', [{ a: [1n] }, 'x', 5])).toEqual(['{"a":["1"]}', '"x"', '5']);
    nothing('Dynamic', [null, () => 1]);
  });
});
