import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';
import { parquetRows } from '../../../connectors/file/parquet/parquet-rows.js';
import { asJson, parsers } from '../../../connectors/file/parquet/parquet-values.js';
import type { RandomAccess } from '../../../connectors/file/random-access.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-parquet-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'a.parquet');

const memory = (bytes: Uint8Array, read?: RandomAccess['read']) => async (): Promise<RandomAccess> => ({
  size: bytes.length,
  read: read ?? (async (start, end) => new Uint8Array(bytes.subarray(start, end))),
  close: async () => undefined,
});

async function rowsOf(bytes: ArrayBuffer | Uint8Array, from = 0): Promise<{ text: string; next: number }[]> {
  const rows: { text: string; next: number }[] = [];
  for await (const some of parquetRows(path, from, memory(new Uint8Array(bytes)))) {
    for (const { bytes: made, json } of some) {
      // What steps are given is what the bytes say, also where the two are hard to tell apart.
      expect(json?.value()).toStrictEqual(JSON.parse(Buffer.from(made).toString()));
      expect(json?.bytesMax).toBeGreaterThanOrEqual(made.length);
      expect(json?.depthMax).toBeGreaterThanOrEqual(depthOf(json?.value()));
    }
    rows.push(...some.map(({ bytes, next }) => ({ text: Buffer.from(bytes).toString(), next })));
  }
  return rows;
}

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

/** By the library alone, which makes other arrays of what it reads. */
async function byLibrary(bytes: ArrayBuffer): Promise<string[]> {
  const objects = await parquetReadObjects({ file: bytes, parsers, utf8: false });
  return objects.map((row) => JSON.stringify(asJson(row)));
}

const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null, freq: 4 });
const text = fc.oneof(fc.constantFrom('', 'ATL', 'ü "x"', '\u0000'), fc.string({ unit: 'grapheme', maxLength: 20 }));
const int64 = fc.oneof(fc.maxSafeInteger().map(BigInt), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
const time = fc.date({ noInvalidDate: true, min: new Date(-6e13), max: new Date(6e13) });
const kinds = {
  INT32: fc.integer(),
  INT64: fc.oneof(fc.constant(int64), fc.constant(fc.maxSafeInteger().map(BigInt))),
  DOUBLE: fc.double(),
  FLOAT: fc.float(),
  BOOLEAN: fc.boolean(),
  STRING: text,
  BYTE_ARRAY: fc.uint8Array({ maxLength: 9 }),
  TIMESTAMP: time,
  JSON: fc.jsonValue({ maxDepth: 2 }).filter((value) => value !== null),
} as const;

/** A column with a name, with or without missing values, as the writer of the library takes it. */
const columnOf = (name: string, rows: number) =>
  fc
    .tuple(fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[])), fc.boolean(), fc.boolean())
    .chain(([type, nullable, repeats]) => {
      const values: fc.Arbitrary<unknown> =
        type === 'INT64' ? fc.oneof(int64, fc.maxSafeInteger().map(BigInt)) : kinds[type];
      const some = repeats
        ? fc.array(values, { minLength: 1, maxLength: 3 }).chain((few) => fc.constantFrom(...few))
        : values;
      return fc
        .array(nullable ? optional(some) : some, { minLength: rows, maxLength: rows })
        .map((data) => ({ name, type, nullable, data }));
    });

const files = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 4 })).chain(([rows, columns]) =>
  fc.record({
    columnData: fc.tuple(...['a', 'b', '7', 'd "x"'].slice(0, columns).map((name) => columnOf(name, rows))),
    codec: fc.constantFrom('SNAPPY' as const, 'UNCOMPRESSED' as const),
    rowGroupSize: fc.integer({ min: 1, max: 70 }),
    from: fc.nat(rows),
  }),
);

describe('parquetRows', () => {
  it('gives what the library reads as JSON, from any row on', async () => {
    await fc.assert(
      fc.asyncProperty(files, async ({ from, ...written }) => {
        const bytes = parquetWriteBuffer(written as never);
        const wanted = (await byLibrary(bytes)).map((row) => JSON.parse(row));
        const rows = await rowsOf(bytes, from);
        expect(rows.map(({ text }) => JSON.parse(text))).toEqual(wanted.slice(from));
        expect(rows.map(({ next }) => next)).toEqual(wanted.slice(from).map((_, i) => from + i + 1));
      }),
      { numRuns: 150 },
    );
  });

  it('gives a file up whose page keeps the decoder busy without end, and goes on with the next', async () => {
    const good = readFileSync(new URL('../../fuzz/parquet/encodings.parquet', import.meta.url));
    // 128 values a block in 4 miniblocks, 60 in all, the first of them 0: the page of the first column.
    const at = good.indexOf(Buffer.from([0x80, 0x01, 0x04, 60, 0]));
    const bad = Buffer.from(good);
    bad.set([0xff, 0xff, 0xff, 0xff, 0x0f], at + 2); // -1 miniblocks: each block ends where it began
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 20);
    const read = async () => {
      for await (const _ of parquetRows(path, 0, memory(bad), { stalledMs: 600 }));
    };
    await expect(read()).rejects.toMatchObject({
      code: 'source',
      permanent: true,
      where: path,
      message: expect.stringContaining('made no progress for 0.6 s'),
    });
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(5);
    expect(await rowsOf(good)).toHaveLength(60);
  });

  it('leaves a reader that stops early with nothing to close', async () => {
    const columnData = [{ name: 'a', type: 'DOUBLE' as const, data: Array.from({ length: 5_000 }, (_, i) => i) }];
    const bytes = new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 100 }));
    for await (const rows of parquetRows(path, 250, memory(bytes))) {
      expect(rows[0]?.next).toBe(251);
      break;
    }
    expect(await rowsOf(bytes, 4_999)).toEqual([{ text: '{"a":4999}', next: 5_000 }]);
    expect(await rowsOf(bytes, 5_000)).toEqual([]);
  });

  it('takes no missing pages for missing values', async () => {
    const file = (values: number) => ({
      columnData: [{ name: 'a', type: 'DOUBLE' as const, data: Array.from({ length: values }, (_, i) => i) }],
      codec: 'UNCOMPRESSED' as const,
    });
    const good = Buffer.from(parquetWriteBuffer({ ...file(40), pageSize: 80 } as never));
    const rows = good.lastIndexOf(Buffer.from([0x16, 80])); // 40 rows, as a field of 64 bits: of the row group
    expect(rows).toBeGreaterThan(0);
    good[rows + 1] = 82;
    await expect(rowsOf(good)).rejects.toMatchObject({ code: 'source', message: expect.stringMatching(/4[01] /) });
  });

  it('is refused where its bytes cannot be read, with what its storage says', async () => {
    const bytes = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'a', type: 'DOUBLE', data: [1] }] }));
    let reads = 0;
    const open = memory(bytes, async (start, end) => {
      if (reads++ > 0) throw new Error('the network is down');
      return new Uint8Array(bytes.subarray(start, end));
    });
    const read = async () => {
      for await (const _ of parquetRows(path, 0, open));
    };
    await expect(read()).rejects.toMatchObject({ code: 'source', message: expect.stringContaining('network is down') });
  });
});
