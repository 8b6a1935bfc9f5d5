import fc from 'fast-check';
import type { FileMetaData, SchemaElement } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { asJson, parsers, takeDecimals } from '../../../connectors/file/parquet-values.js';

const metadataOf = (...schema: Partial<SchemaElement>[]) => ({ schema }) as unknown as FileMetaData;

describe('times of Parquet', () => {
  it('are the texts that JSON has them as, also before 1970, and lose no digit', () => {
    fc.assert(
      fc.property(
        fc.date({ noInvalidDate: true, min: new Date(-1e14), max: new Date(1e14) }),
        fc.nat(999_999),
        (at, rest) => {
          const ms = BigInt(at.getTime());
          expect(asJson(parsers.timestampFromMilliseconds?.(ms))).toBe(at.toISOString());
          const ns = ms * 1_000_000n + BigInt(rest);
          const digits = `${at.toISOString().slice(0, -1)}${String(rest).padStart(6, '0')}`;
          expect(asJson(parsers.timestampFromNanoseconds?.(ns))).toBe(
            `${digits.slice(0, -6)}${digits.slice(-6).replace(/0+$/, '')}Z`,
          );
        },
      ),
    );
    expect(parsers.timestampFromMicroseconds?.(-1n)).toBe('1969-12-31T23:59:59.999999Z');
    expect(parsers.timestampFromMicroseconds?.(-1_000n)).toEqual(new Date(-1));
    expect(() => parsers.timestampFromMilliseconds?.(8_640_000_000_000_001n)).toThrow('is no time');
    expect(parsers.dateFromDays?.(-1)).toBe('1969-12-31');
  });
});

describe('decimals of Parquet', () => {
  const cellOf = (scale: number) => {
    const metadata = metadataOf({ name: 'root', num_children: 1 }, { name: 'd', converted_type: 'DECIMAL', scale });
    const cell = takeDecimals(metadata, 'a.parquet').get('d');
    expect(metadata.schema[1]).toEqual({ name: 'd', scale });
    return cell ?? ((raw) => raw);
  };

  it('are numbers where these hold every digit, otherwise texts', () => {
    expect([1235, -5n, 0, null].map(cellOf(2))).toEqual([12.35, -0.05, 0, null]);
    expect(cellOf(0)(-7n)).toBe(-7);
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
    expect([...takeDecimals(list({}), 'a').keys()]).toEqual(['price']);
    expect(() => takeDecimals(list({ converted_type: 'DECIMAL' }), 'a')).toThrow(/column list/);
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
