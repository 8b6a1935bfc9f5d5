import fc from 'fast-check';
import { expect, it } from 'vitest';
import { featureView, hashed, numeric } from '../../../../src/ml/features/index.js';
import { type WaitingRow, waitingRows } from '../../../../src/operators/quality/imputers/waiting-rows.js';
import { PackedRows } from '../../../../src/state/map/packed-rows.js';

interface Row {
  readonly size: number;
  readonly place: string;
}

const view = featureView({
  name: 'rows',
  version: 1,
  columns: { size: (row: Row) => row.size, place: (row: Row) => row.place },
  features: { size: numeric('size'), placeIs: hashed('place'), both: hashed('place', 'size') },
});
const maker = view.open();
const number = fc.oneof(fc.integer(), fc.double());
/** Of the hashed features, where they are not the ones that a view makes. */
const values = fc.tuple(number, number).map((drawn) => Float32Array.from(drawn));
const waiting = fc.record({
  values: fc.option(values, { nil: undefined }),
  row: fc.record({ size: number, place: fc.string() }),
  said: fc.tuple(number, number),
  groups: fc.tuple(fc.oneof(number, fc.string()), fc.oneof(number, fc.constantFrom('', '1'))),
});

it('gives back what was packed, to the last bit, while rows come, go and are copied', () => {
  fc.assert(
    fc.property(fc.array(waiting, { maxLength: 150 }), fc.nat(9), (drawn, dropEvery) => {
      let rows = new PackedRows<WaitingRow>(waitingRows(view, 2, 2));
      let kept: { row: number; value: WaitingRow }[] = [];
      const check = () => {
        for (const { row, value } of kept) expect(rows.get(row)).toStrictEqual(value);
      };
      drawn.forEach(({ row, values, said, groups }, i) => {
        const value = { features: { ...maker.vector(row), ...(values && { values }) }, said, groups };
        kept.push({ row: rows.put(value), value });
        if (i % 10 === dropEvery) rows.drop((kept.shift() as (typeof kept)[number]).row);
      });
      check();
      const { rests, numbers } = rows.copyOf(kept.map(({ row }) => row));
      rows = new PackedRows<WaitingRow>(waitingRows(view, 2, 2));
      expect(rows.fits(kept.length, numbers)).toBe(true);
      kept = kept.map(({ value }, i) => ({ row: rows.putCopy(rests[i], numbers, i), value }));
      check();
    }),
  );
});
