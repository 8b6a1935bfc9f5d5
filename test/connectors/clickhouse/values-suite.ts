import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { type ClickHouse, type ClickHouseOptions, openClickHouse } from '../../../connectors/clickhouse/open.js';
import { quotedName } from '../../../connectors/clickhouse/table/type-text.js';
import type { Sink, SinkWriter } from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';

/** A type, values of it, and what a reader must be given for one, in JSON. */
interface Kind {
  readonly type: string;
  readonly values: fc.Arbitrary<unknown>;
  readonly read: (value: never) => unknown;
}

const kind = <T>(type: string, values: fc.Arbitrary<T>, read: (value: T) => unknown = (value) => value): Kind => ({
  type,
  values,
  read,
});

const same = <T>(value: T): T => value;
const text = (value: unknown) => String(value);
const whole = (bits: number, signed: boolean) => {
  const min = signed ? -(2n ** BigInt(bits - 1)) : 0n;
  const max = signed ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n;
  return fc.oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max));
};
const named = (value: number) =>
  Number.isFinite(value) ? value : Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
const time = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
const millis = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2300, 0, 1) - 1 });
const unicode = fc.string({ unit: 'binary', maxLength: 12 });
const digits = (length: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${length}}$`));
const decimals = fc
  .tuple(fc.constantFrom('', '-'), digits(29), digits(9))
  .map(([sign, integer, fraction]) => `${sign}${integer}.${fraction}`);
const plainDecimal = (value: string) => {
  const short = value.replace(/^(-?)0+(?=\d)/, '$1').replace(/\.?0+$/, '');
  return /^-?0?$/.test(short) ? '0' : short;
};
const micros = fc.bigInt({
  min: BigInt(Date.UTC(1900, 0, 1)) * 1_000n,
  max: BigInt(Date.UTC(2300, 0, 1)) * 1_000n - 1n,
});
const microText = (value: bigint) => {
  const rest = ((value % 1_000n) + 1_000n) % 1_000n;
  return `${time(Number((value - rest) / 1_000n))}${String(rest).padStart(3, '0')}`;
};

/** A name that needs its quotes. */
const ODD = "odd `na\\me`, it's";

/** Every type that is written, with values of all its range. */
const kinds: Readonly<Record<string, Kind>> = {
  u8: kind('UInt8', fc.integer({ min: 0, max: 255 })),
  i8: kind('Int8', fc.integer({ min: -128, max: 127 })),
  u16: kind('UInt16', fc.integer({ min: 0, max: 65_535 })),
  i32: kind('Int32', fc.integer()),
  u32: kind('UInt32', fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  i64: kind('Int64', whole(64, true), text),
  u64: kind('UInt64', whole(64, false), text),
  u64text: kind('UInt64', whole(64, false).map(text), same),
  i128: kind('Int128', whole(128, true), text),
  u256: kind('UInt256', whole(256, false), text),
  f64: kind('Float64', fc.double(), named),
  f32: kind('Float32', fc.float(), named),
  yes: kind('Bool', fc.boolean()),
  text: kind('String', unicode),
  low: kind('LowCardinality(Nullable(String))', fc.option(fc.constantFrom('a', 'ü', "it's"))),
  four: kind('FixedString(4)', fc.stringMatching(/^[a-z'"\\]{4}$/)),
  uuid: kind('UUID', fc.uuid()),
  ip: kind('IPv4', fc.ipV4()),
  word: kind("Enum8('a' = 1, 'it''s, \"b\"' = 2, 'ü' = -3)", fc.constantFrom('a', 'it\'s, "b"', 'ü')),
  money: kind('Decimal(38, 9)', decimals, plainDecimal),
  cents: kind(
    'Decimal64(2)',
    fc.integer({ min: -99_999, max: 99_999 }).map((n) => n / 100),
    (n: number) => plainDecimal(n.toFixed(2)),
  ),
  ms: kind('DateTime64(3)', millis, time),
  date: kind(
    'DateTime64(3)',
    millis.map((ms) => new Date(ms)),
    (at: Date) => time(at.getTime()),
  ),
  us: kind('DateTime64(6)', micros, microText),
  cut: kind('DateTime64(3)', micros, (value: bigint) => microText(value).slice(0, 23)),
  ns: kind(
    'DateTime64(9)',
    fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2262, 3, 11) }),
    (ms: number) => `${time(ms)}000000`,
  ),
  sec: kind('DateTime', fc.integer({ min: 0, max: 2 ** 32 * 1_000 - 1 }), (ms: number) => time(ms).slice(0, 19)),
  day: kind('Date', fc.integer({ min: 0, max: Date.UTC(2149, 5, 7) - 1 }), (ms: number) => time(ms).slice(0, 10)),
  wide: kind('Date32', millis, (ms: number) => time(ms).slice(0, 10)),
  list: kind('Array(Nullable(Int32))', fc.array(fc.option(fc.integer()), { maxLength: 4 })),
  typed: kind('Array(Float32)', fc.float32Array({ maxLength: 4 }), (list: Float32Array) => [...list].map(named)),
  deep: kind('Array(Array(String))', fc.array(fc.array(unicode, { maxLength: 2 }), { maxLength: 3 })),
  map: kind(
    'Map(String, Array(UInt8))',
    fc.dictionary(
      unicode.filter((key) => key !== '__proto__'),
      fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 2 }),
      { maxKeys: 3, noNullPrototype: true },
    ),
  ),
  numbers: kind(
    'Map(UInt64, Bool)',
    fc.array(fc.tuple(whole(64, false), fc.boolean()), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    (map: Map<bigint, boolean>) => Object.fromEntries([...map].map(([key, value]) => [String(key), value])),
  ),
  pair: kind('Tuple(Int8, Nullable(String))', fc.tuple(fc.integer({ min: -128, max: 127 }), fc.option(unicode))),
  nested: kind(
    `Tuple(at DateTime64(3), ${quotedName(ODD)} Array(Tuple(x Float64)))`,
    fc.record({ at: millis, [ODD]: fc.array(fc.record({ x: fc.double() }), { maxLength: 2 }) }),
    (value: { at: number; [ODD]: { x: number }[] }) => ({
      at: time(value.at),
      [ODD]: value[ODD].map(({ x }) => ({ x: named(x) })),
    }),
  ),
};

const IN_FULL =
  'SETTINGS output_format_json_quote_64bit_integers = 1, output_format_json_quote_decimals = 1, output_format_json_quote_denormals = 1';

/** What a column holds is what was written; what it cannot hold is told before. Asked of a server and of the engine in this process. */
export function valuesSuite(options: () => ClickHouseOptions): void {
  let db: ClickHouse;
  let made = 0;
  beforeAll(async () => {
    db = await openClickHouse(options());
  });
  afterAll(() => db?.close());

  async function open(columns: Readonly<Record<string, string>>): Promise<{ table: string; writer: SinkWriter }> {
    const table = `values_${Date.now().toString(36)}_${process.pid}_${made++}`;
    const sink = clickhouse.tableSink<Record<string, unknown>>({ table, columns }) as Sink<unknown>;
    await db.tableSink.setUp?.(sink, { topology: 'values', step: 'out', partitions: 1 });
    const task = { topology: 'values', partition: 0 };
    return { table, writer: await db.tableSink.open(sink, { step: 'out', task, incarnation: 0 }) };
  }

  async function writeAll(writer: SinkWriter, values: readonly unknown[]) {
    await writer.write(
      values,
      values.map((_, n) => originAt(n)),
    );
    await writer.prepare?.();
  }

  const columns = Object.fromEntries(Object.entries(kinds).map(([name, { type }]) => [name, type]));

  it('reads back random values of every type as they were', async () => {
    const { table, writer } = await open(columns);
    const arbitraries = Object.fromEntries(Object.entries(kinds).map(([name, { values }]) => [name, values]));
    const rows = fc.sample(fc.record(arbitraries), 300);
    expect(rows.map((row) => writer.unrepresentable?.(row, originAt(0))).filter(Boolean)).toEqual([]);
    await writeAll(writer, rows);
    const read = await db.query<Record<string, unknown>>(
      `SELECT ${Object.keys(kinds).join(', ')} FROM ${table}_rows ORDER BY _offset ${IN_FULL}`,
    );
    expect(read).toHaveLength(rows.length);
    for (const [name, { read: shown }] of Object.entries(kinds)) {
      const column = read.map((row) =>
        name === 'f32' ? round(row[name]) : name === 'typed' ? (row[name] as unknown[]).map(round) : row[name],
      );
      expect({ [name]: column }).toEqual({ [name]: rows.map((row) => shown(row[name] as never)) });
    }
  });

  it('keeps bytes as they are in a String', async () => {
    const { table, writer } = await open({ bytes: 'String' });
    const rows = fc.sample(fc.record({ bytes: fc.uint8Array({ maxLength: 40 }) }), 100);
    await writeAll(writer, [...rows, { bytes: Uint8Array.from({ length: 256 }, (_, i) => i) }]);
    const read = await db.query<{ hex: string }>(`SELECT lower(hex(bytes)) AS hex FROM ${table}_rows ORDER BY _offset`);
    expect(read.slice(0, -1).map(({ hex }) => hex)).toEqual(
      rows.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
    );
    expect(read.at(-1)?.hex).toHaveLength(512);
  });

  it('stores whatever a type says that it holds: ClickHouse refuses none of it', async () => {
    const { table, writer } = await open(
      Object.fromEntries(
        Object.entries(columns).map(([name, type]) => [
          name,
          /^(Array|Map|Tuple|Low)/.test(type) ? type : `Nullable(${type})`,
        ]),
      ),
    );
    const empty = {
      list: [],
      typed: [],
      deep: [],
      map: {},
      numbers: {},
      pair: [0, null],
      nested: { at: 0, [ODD]: [] },
    };
    const names = Object.keys(kinds);
    const strange = fc.oneof(
      fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, withMap: true }),
      fc.constantFrom(
        -1,
        256,
        1.5,
        2 ** 53,
        2 ** 64,
        1e300,
        '7',
        '007',
        '1e2',
        '',
        'nan',
        -1n,
        2n ** 64n,
        '\ud800',
        '::',
        '1.2.3',
      ),
      fc.oneof(...Object.values(kinds).map(({ values }) => values)),
    );
    const rows = fc
      .sample(fc.tuple(fc.constantFrom(...names), strange), 4_000)
      .map(([name, value]) => ({ ...empty, [name]: value }))
      .filter((row) => writer.unrepresentable?.(row, originAt(0)) === undefined);
    expect(rows.length).toBeGreaterThan(400);
    await writeAll(writer, rows);
    expect(await db.query(`SELECT toUInt32(count()) AS n FROM ${table}_rows`)).toEqual([{ n: rows.length }]);
  });

  it('keeps a Map in a text as the object of its entries', async () => {
    const { writer, table } = await open({ text: 'String', maybe: 'Nullable(String)' });
    const map = new Map<string, unknown>([
      ['a', 1n],
      ['b', new Map([[7, []]])],
    ]);
    await writeAll(writer, [{ text: map, maybe: { deep: map } }]);
    const object = '{"a":"1","b":{"7":[]}}';
    expect(await db.query(`SELECT text, maybe FROM ${table}`)).toEqual([{ text: object, maybe: `{"deep":${object}}` }]);
  });

  it('has no room for what ClickHouse would store as something else, or refuse', async () => {
    const cases: readonly (readonly [type: string, value: unknown])[] = [
      ['UInt8', 300],
      ['UInt8', -1],
      ['UInt8', 1.5],
      ['UInt8', '7'],
      ['UInt8', null],
      ['UInt8', Number.NaN],
      ['Int64', 2n ** 63n],
      ['UInt64', -1],
      ['UInt64', 'many'],
      ['Float64', '1.5'],
      ['Float32', 1e39],
      ['Bool', 2],
      ['String', 'half \ud83d a pair'],
      ['String', undefined],
      ['String', new Set(['a'])],
      ['String', { tags: [new Set(['a'])] }],
      ['String', new Map([[{}, 1]])],
      ['FixedString(4)', 'abc'],
      ['Decimal(5, 2)', '1234.5'],
      ['Decimal(5, 2)', '1.234'],
      ['Decimal(5, 2)', 0.1 + 0.2],
      ['Decimal(5, 2)', `0.${'0'.repeat(1_000_000)}1`], // and says so at once
      ['UUID', 'a0eebc99'],
      ["Enum8('a' = 1)", 'b'],
      ['DateTime64(3)', Date.UTC(2300, 0, 1)],
      ['DateTime64(3)', 'yesterday'],
      ['DateTime64(3)', Number.POSITIVE_INFINITY],
      ['DateTime64(3)', new Date(Number.NaN)],
      ['DateTime64(9)', Date.UTC(2262, 3, 12)],
      ['DateTime', -1],
      ['Date', -1],
      ['Date32', Date.UTC(1899, 11, 31)],
      ['Array(Nullable(UInt8))', [1, null, 256]],
      ['Map(String, UInt8)', { a: 1, b: '2' }],
      ['Tuple(a UInt8, b String)', { a: 1 }],
      ['Tuple(UInt8, String)', [1]],
      ['Tuple(a Nullable(UInt8))', new Map([['a', 1]])],
      ['Map(String, Nullable(UInt8))', new Set(['a'])],
      ['SimpleAggregateFunction(max, UInt8)', 256],
      ['LowCardinality(String)', null],
    ];
    const fields = cases.map(([type, value], i) => ({ name: `c${i}`, type, value }));
    const { writer } = await open(Object.fromEntries(fields.map(({ name, type }) => [name, `${type}`])));
    // Each field alone is wrong: the columns before it are given what fits.
    const fitting = Object.fromEntries(fields.map(({ name, type }) => [name, fits[type]]));
    expect(writer.unrepresentable?.(fitting, originAt(0))).toBeUndefined();
    for (const { name, type, value } of fields) {
      const row = { ...fitting, [name]: value };
      expect(writer.unrepresentable?.(row, originAt(0))).toContain(`column ${name} (${type}) has no room for`);
      expect(() => writer.write([row], [originAt(1)])).toThrow(/has no room for/);
    }
  });
}

/** Something that fits, by type. */
const fits: Readonly<Record<string, unknown>> = {
  UInt8: 1,
  Int64: 1,
  UInt64: 1,
  Float64: 1,
  Float32: 1,
  Bool: true,
  String: '',
  'FixedString(4)': 'abcd',
  'Decimal(5, 2)': '1.23',
  UUID: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  "Enum8('a' = 1)": 'a',
  'DateTime64(3)': 0,
  'DateTime64(9)': 0,
  DateTime: 0,
  Date: 0,
  Date32: 0,
  'Array(Nullable(UInt8))': [],
  'Map(String, UInt8)': {},
  'Tuple(a UInt8, b String)': { a: 1, b: '' },
  'Tuple(UInt8, String)': [1, ''],
  'Tuple(a Nullable(UInt8))': { a: 1 },
  'Map(String, Nullable(UInt8))': new Map([['a', 1]]),
  'SimpleAggregateFunction(max, UInt8)': 255,
  'LowCardinality(String)': '',
};

const round = (value: unknown) => (typeof value === 'number' ? Math.fround(value) : value);
