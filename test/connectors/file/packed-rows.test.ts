import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowUnpacker, rowPacker } from '../../../connectors/file/parquet/packed-rows.js';

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

/** What is unpacked of bytes that come in pieces of some sizes, over and over. */
function unpacked(bytes: Buffer, sizes: readonly number[]): RowUnpacker {
  const unpacker = new RowUnpacker(columns);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number;
    unpacker.push(bytes.subarray(at, at + size));
    while (unpacker.next());
    at += size;
  }
  unpacker.end();
  return unpacker;
}

describe('packed rows', () => {
  it('are taken in groups of any size, each on its own', () => {
    const pack = rowPacker({ n: 'number', name: 'text' });
    const unpacker = new RowUnpacker({ n: 'number', name: 'text' });
    const taken = [3, 5_000, 1].map((rows) => {
      for (let n = 0; n < rows; n++) unpacker.push(pack({ n, name: `name ${n}` }));
      while (unpacker.next());
      return unpacker.take().map(({ data }) => [data.length, data[rows - 1]]);
    });
    expect(taken).toEqual(
      [3, 5_000, 1].map((rows) => [
        [rows, rows - 1],
        [rows, `name ${rows - 1}`],
      ]),
    );
  });

  it('are the columns that were packed, whatever pieces they come in', () => {
    const pack = rowPacker(columns);
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 });
    fc.assert(
      fc.property(rows, sizes, (given, pieces) => {
        const read = unpacked(Buffer.concat(given.map(pack)), pieces);
        const wanted = given.map((row) => ({
          ...row,
          integer: BigInt(row.integer),
          at: BigInt(row.at.getTime()),
        }));
        const data = Object.fromEntries(read.take().map(({ name, data: cells }) => [name, Array.from(cells)]));
        return Object.keys(columns).every((name) =>
          isDeepStrictEqual(
            data[name],
            wanted.map((row) => row[name as keyof typeof row]),
          ),
        );
      }),
    );
  });

  it('take no value that a column has no room for, and go on after it', () => {
    const pack = rowPacker({ n: 'integer', at: 'date?', big: 'bigint?', text: 'text?', x: 'number?', is: 'boolean?' });
    const first = pack({ n: 1, at: 5 });
    for (const wrong of [{}, { n: 0.5 }, { n: '1' }, null]) expect(() => pack(wrong)).toThrow('is no integer');
    for (const [name, type, wrong] of [
      ['at', 'date?', new Date(Number.NaN)],
      ['big', 'bigint?', 2n ** 63n],
      ['big', 'bigint?', -(2n ** 63n) - 1n],
      ['big', 'bigint?', 1],
      ['text', 'text?', 1],
      ['text', 'text?', '\ud800'],
      ['x', 'number?', 1n],
      ['x', 'number?', Number.POSITIVE_INFINITY],
      ['is', 'boolean?', 1],
    ] as const)
      expect(() => pack({ n: 1, [name]: wrong })).toThrow(`column ${name}: a ${typeof wrong} is no ${type}`);
    expect(Buffer.from(pack({ n: 1, at: new Date(5) }))).toEqual(Buffer.from(first));
  });

  it('are not read where they are damaged', () => {
    const whole = Buffer.from(
      rowPacker(columns)({ text: 'a', number: 1, integer: 2, big: 3n, is: true, at: new Date(0) }),
    );
    expect(() => unpacked(whole.subarray(0, -1), [7])).toThrow(/ends within a row/);
    expect(() => unpacked(Buffer.from('["a",1,2,"3",true,0]\n'), [7])).toThrow(/a row of \d+ bytes/); // as it once was
    whole.writeUInt32LE(whole.length, 0);
    expect(() => unpacked(Buffer.concat([whole, whole]), [7])).toThrow();
  });
});
