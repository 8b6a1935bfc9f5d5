import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RowBuffer } from '../../../connectors/file/parquet/row-buffer.js';

const long = fc.nat(200_000).map((length) => 'é'.repeat(length));
const row = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('', 'a', 'ends\n', 'two\nlines', '€', '😀', 'é'.repeat(99)) },
  { weight: 1, arbitrary: long },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 5 }) },
  { weight: 1, arbitrary: fc.nat(400_000).map((length) => new Uint8Array(length).fill(7)) },
);

it('holds lines, each with one end, and bytes as they are, whatever was taken and given back before', () => {
  fc.assert(
    fc.property(fc.array(fc.array(row, { maxLength: 6 }), { maxLength: 5 }), fc.boolean(), (batches, givesBack) => {
      const buffer = new RowBuffer();
      let before: Buffer | undefined;
      for (const rows of batches) {
        const wanted = rows.map((each) =>
          typeof each === 'string' ? Buffer.from(each.endsWith('\n') ? each : `${each}\n`) : Buffer.from(each),
        );
        rows.forEach((each, i) => {
          expect(buffer.add(each)).toBe(wanted[i]?.length);
        });
        const all = Buffer.concat(wanted);
        expect(buffer.bytes).toBe(all.length);
        const kept = before && Buffer.from(before);
        const taken = buffer.take();
        expect(taken.equals(all)).toBe(true);
        if (before && kept) expect(before.equals(kept)).toBe(true); // what is being written does not change
        expect(buffer.bytes).toBe(0);
        if (givesBack) buffer.giveBack(taken);
        else before = taken;
      }
    }),
    { numRuns: 60 },
  );
});

it('takes no more memory than it needs for lines of one byte a character', () => {
  const buffer = new RowBuffer();
  const rows = 1_024;
  for (let n = 0; n < rows; n++) buffer.add('x'.repeat(255));
  const taken = buffer.take();
  expect([taken.length, taken.buffer.byteLength]).toEqual([rows * 256, 256 * 1_024]);
});
