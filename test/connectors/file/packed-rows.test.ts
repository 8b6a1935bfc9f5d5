import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { rowPacker } from '../../../connectors/file/packed-rows.js';
import { parquetOf } from '../../../connectors/file/to-parquet.js';

const columns = { text: 'text?', number: 'number', integer: 'integer', big: 'bigint', is: 'boolean?', at: 'date' };
const rows = fc.array(
  fc.record({
    text: fc.option(fc.string({ unit: 'grapheme' })),
    number: fc.double({ noNaN: true, noDefaultInfinity: true }),
    integer: fc.maxSafeInteger(),
    big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    is: fc.option(fc.boolean()),
    at: fc.date({ noInvalidDate: true }),
  }),
);

/** What the library reads of the file that is made of packed rows that come in pieces of some sizes, over and over. */
async function written(bytes: Buffer, sizes: readonly number[], groupRows = 1_000): Promise<Buffer> {
  async function* pieces() {
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = sizes[i % sizes.length] as number;
      yield bytes.subarray(at, at + size);
      at += size;
    }
  }
  const made: Uint8Array[] = [];
  for await (const piece of parquetOf(pieces(), columns, groupRows)) made.push(piece);
  return Buffer.concat(made);
}

const readBack = async (file: Buffer): Promise<readonly object[]> =>
  parquetReadObjects({ file: new Uint8Array(file).buffer });

describe('packed rows', () => {
  it('are the rows of the file that is made of them: the same bytes, whatever pieces they come in', async () => {
    const pack = rowPacker(columns);
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(rows, sizes, fc.integer({ min: 1, max: 40 }), async (given, pieces, groupRows) => {
        const packed = Buffer.concat(given.map(pack));
        const file = await written(packed, pieces, groupRows);
        expect(file.equals(await written(packed, [1_000_000], groupRows))).toBe(true);
        const wanted = given.map((row) => ({ ...row, integer: BigInt(row.integer) }));
        expect(await readBack(file)).toEqual(wanted);
      }),
      { numRuns: 150 },
    );
  });

  it('have a dictionary where values come again, no more than one page without, and bounds', async () => {
    const pack = rowPacker(columns);
    const count = 3_000;
    const at = (n: number) => new Date(n % 3);
    const row = (n: number) => ({
      text: n % 7 === 0 ? null : n < 2_000 ? `${n} ${'ü'.repeat(400)}` : 'again',
      number: n % 5 === 4 ? -0 : n % 5,
      integer: (n % 9) - 2 ** 40,
      big: BigInt(n) - 2n ** 62n,
      is: n % 4 === 0 ? null : n % 4 === 1,
      at: at(n),
    });
    const given = Array.from({ length: count }, (_, n) => row(n));
    const file = await written(Buffer.concat(given.map(pack)), [4_096], count);
    const read = await readBack(file);
    expect(read).toStrictEqual(given.map((each) => ({ ...each, integer: BigInt(each.integer) })));
    expect(Object.is((read[4] as { number: number }).number, -0)).toBe(true);
    const { row_groups } = parquetMetadata(new Uint8Array(file).buffer);
    const chunks = Object.fromEntries(
      (row_groups[0]?.columns ?? []).map(({ meta_data }) => [meta_data?.path_in_schema[0], meta_data]),
    );
    expect(Object.keys(chunks).filter((name) => chunks[name]?.dictionary_page_offset)).toEqual(['integer', 'at']);
    expect(chunks.integer?.statistics).toMatchObject({
      min_value: -(2n ** 40n),
      max_value: 8n - 2n ** 40n,
      null_count: 0n,
    });
    expect(chunks.at?.statistics).toMatchObject({ min_value: at(0), max_value: at(2) });
    expect(chunks.text?.statistics).toMatchObject({ null_count: 429n, max_value: 'again' });
    expect(chunks.is?.statistics).toMatchObject({ min_value: false, max_value: true, null_count: 750n });
    const again = given.map((each, n) => ({ ...each, text: n % 2 ? 'x' : null, number: 7 }));
    const [group] = parquetMetadata(
      new Uint8Array(await written(Buffer.concat(again.map(pack)), [4_096], count)).buffer,
    ).row_groups;
    expect(group?.columns.map(({ meta_data }) => meta_data?.dictionary_page_offset !== undefined)).toEqual([
      ...[true, true, true, false, false, true],
    ]);
  });

  it('take no value that a column has no room for, and go on after it', () => {
    const pack = rowPacker({ n: 'integer', at: 'date?' });
    const first = pack({ n: 1, at: 5 });
    for (const wrong of [{}, { n: 0.5 }, { n: '1' }, { n: 1, at: new Date(Number.NaN) }, null]) {
      expect(() => pack(wrong)).toThrow(/is no (integer|date\?)/);
    }
    expect(Buffer.from(pack({ n: 1, at: new Date(5) }))).toEqual(Buffer.from(first));
  });

  it('are not read where they are damaged', async () => {
    const whole = Buffer.from(
      rowPacker(columns)({ text: 'a', number: 1, integer: 2, big: 3n, is: true, at: new Date(0) }),
    );
    await expect(written(whole.subarray(0, -1), [7])).rejects.toThrow(/ends within a row/);
    const lines = Buffer.from('["a",1,2,"3",true,0]\n'); // as they once were
    await expect(written(lines, [7])).rejects.toThrow(/a row of \d+ bytes/);
    whole.writeUInt32LE(whole.length, 0);
    await expect(written(Buffer.concat([whole, whole]), [7])).rejects.toThrow();
  });
});
