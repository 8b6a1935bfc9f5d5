import fc from 'fast-check';
import type { DecodedArray, FileMetaData, SchemaElement } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { cellsOf } from '../../../connectors/file/parquet/parquet-cells.js';
import { rowMaker } from '../../../connectors/file/parquet/parquet-row-maker.js';
import { asJson, parsers, takeColumns } from '../../../connectors/file/parquet/parquet-values.js';

const textOf = (make: () => unknown): unknown => {
  try {
    return make();
  } catch (error) {
    return `Error: ${error}`;
  }
};

const metadataOf = (...schema: Partial<SchemaElement>[]) => ({ schema }) as FileMetaData;

describe('times of Parquet', () => {
  it('are the texts that JSON has them as, also before 1970, and lose no digit', () => {
    fc.assert(
      fc.property(
        fc.date({ noInvalidDate: true, min: new Date(-1e14), max: new Date(1e14) }),
        fc.nat(999_999),
        (at, rest) => {
          const ms = BigInt(at.getTime());
          expect(asJson(parsers.timestampFromMilliseconds(ms))).toBe(at.toISOString());
          const ns = ms * 1_000_000n + BigInt(rest);
          const digits = `${at.toISOString().slice(0, -1)}${String(rest).padStart(6, '0')}`;
          expect(asJson(parsers.timestampFromNanoseconds(ns))).toBe(
            `${digits.slice(0, -6)}${digits.slice(-6).replace(/0+$/, '')}Z`,
          );
        },
      ),
    );
    expect(parsers.timestampFromMicroseconds(-1n)).toBe('1969-12-31T23:59:59.999999Z');
    expect(parsers.timestampFromMicroseconds(-1_000n)).toEqual(new Date(-1));
    expect(() => parsers.timestampFromMilliseconds(8_640_000_000_000_001n)).toThrow('is not a time');
    expect(parsers.dateFromDays(-1)).toBe('1969-12-31');
  });

  it('are read at once where all are whole milliseconds, and each for itself otherwise, to the same texts', () => {
    const units = [
      { converted_type: 'TIMESTAMP_MILLIS' },
      { converted_type: 'TIMESTAMP_MICROS' },
      { logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'NANOS' } },
    ] as const;
    const ticks = fc.array(
      fc.oneof(
        fc.constant(null),
        fc.bigInt({ min: -(10n ** 10n), max: 10n ** 10n }).map((n) => n * 1_000_000n),
        fc.bigInt({ min: -(8n * 10n ** 15n), max: 9n * 10n ** 15n }),
      ),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(fc.constantFrom(...units), ticks, fc.boolean(), (unit, some, isTyped) => {
        const typed = isTyped && !some.includes(null);
        const metadata = metadataOf({ name: 'root', num_children: 1 }, { name: 'at', type: 'INT64', ...unit });
        const taken = takeColumns(metadata, 'a.parquet').get('at');
        expect(metadata.schema[1]).toEqual({ name: 'at', type: 'INT64' });
        const one = (raw: bigint | null) => textOf(() => asJson(taken?.cell(raw)));
        const wanted = some.map(one);
        fc.pre(!wanted.some((text) => String(text).startsWith('Error')));
        const values = typed ? BigInt64Array.from(some as bigint[]) : some;
        const cells = cellsOf(values as DecodedArray, taken);
        const read = rowMaker({ first: 0, rows: some.length, columns: [{ name: 'at', ...cells }] });
        expect(some.map((_, row) => read(row).at)).toEqual(wanted);
      }),
    );
  });

  it('of lists and structures are left to the library', () => {
    const metadata = metadataOf(
      { name: 'root', num_children: 2 },
      { name: 'group', num_children: 1 },
      { name: 'at', type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
      { name: 'all', type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'REPEATED' },
    );
    expect([...takeColumns(metadata, 'a.parquet').keys()]).toEqual([]);
  });
});

describe('decimals of Parquet', () => {
  const cellOf = (scale: number) => {
    const metadata = metadataOf({ name: 'root', num_children: 1 }, { name: 'd', converted_type: 'DECIMAL', scale });
    const taken = takeColumns(metadata, 'a.parquet').get('d');
    expect(metadata.schema[1]).toEqual({ name: 'd', scale });
    return taken?.cell ?? ((raw) => raw);
  };

  it('are numbers where these hold every digit, otherwise texts', () => {
    expect([1235, -5n, 0, null].map(cellOf(2))).toEqual([12.35, -0.05, 0, null]);
    expect(cellOf(0)(-7n)).toBe(-7);
    // A file may leave out a scale of 0.
    const whole = metadataOf({ name: 'root', num_children: 1 }, { name: 'd', converted_type: 'DECIMAL' });
    expect(takeColumns(whole, 'a.parquet').get('d')?.cell(-7n)).toBe(-7);
    expect(cellOf(2)(2n ** 60n)).toBe('11529215046068469.76');
    const bytes = (value: bigint) => Buffer.from(BigInt.asUintN(128, value).toString(16).padStart(32, '0'), 'hex');
    expect(cellOf(2)(new Uint8Array(bytes(-1235n)))).toBe(-12.35);
    expect(cellOf(3)(new Uint8Array(bytes(-(10n ** 30n))))).toBe('-1000000000000000000000000000.000');
  });

  it('are refused within lists and structures, whose neighbours are none', () => {
    const list = (element: Partial<SchemaElement>) =>
      metadataOf(
        { name: 'root', num_children: 3 },
        { name: 'list', num_children: 1 },
        { name: 'group', num_children: 1 },
        { name: 'element', ...element },
        { name: 'price', converted_type: 'DECIMAL', scale: 2 },
        { name: 'n' },
      );
    expect([...takeColumns(list({}), 'a').keys()]).toEqual(['price']);
    expect(() => takeColumns(list({ converted_type: 'DECIMAL' }), 'a')).toThrow(/column list/);
  });
});

describe('other values of Parquet', () => {
  it('are texts where no number holds them, and bytes Base64', () => {
    const row = { a: 2n ** 53n, b: 5n, c: new Uint8Array([0, 255]), d: [2n ** 60n] };
    expect(JSON.parse(JSON.stringify(asJson(row)))).toEqual({
      a: '9007199254740992',
      b: 5,
      c: 'AP8=',
      d: [String(2n ** 60n)],
    });
  });
});
