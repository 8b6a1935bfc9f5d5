import fc from 'fast-check';
import { expect, it } from 'vitest';
import { slotCell } from '../../src/state/index.js';

type Value = { n: number; readonly sums: Float64Array };
const spec = slotCell<Value>({ version: 3 });

it('is a map, whatever epochs it is restored after, and writes each changed value once', () => {
  const step = fc.record({
    kind: fc.constantFrom('set', 'change', 'delete', 'epoch', 'restore'),
    slot: fc.oneof(fc.nat(6), fc.nat(300)),
    n: fc.nat(99),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let cell = spec.open();
      let model = new Map<number, number>();
      let committed = new Map<number, number>();
      const stored = new Map<number, Uint8Array>();
      let touched = new Set<number>();
      for (const { kind, slot, n } of steps) {
        if (kind === 'set') {
          cell.set(slot, { n, sums: Float64Array.of(n, n / 3) });
          model.set(slot, n);
          touched.add(slot);
        } else if (kind === 'change') {
          const value = cell.change(slot);
          expect(value).toBe(cell.get(slot));
          if (value) {
            value.n = n;
            model.set(slot, n);
            touched.add(slot);
          }
        } else if (kind === 'delete') {
          cell.delete(slot);
          if (model.delete(slot)) touched.add(slot);
        } else if (kind === 'epoch') {
          const changes = cell.takeChanges();
          expect(new Set(changes.map(({ bucket }) => bucket)).size).toBe(changes.length);
          for (const { bucket } of changes) expect(touched.has(bucket)).toBe(true);
          for (const { bucket, bytes } of changes) bytes ? stored.set(bucket, bytes) : stored.delete(bucket);
          committed = new Map(model);
          touched = new Set();
        } else {
          cell = spec.open();
          for (const [bucket, bytes] of stored) cell.restore(bucket, bytes, 3);
          model = new Map(committed);
          touched = new Set();
        }
        expect(cell.size).toBe(model.size);
        expect([...cell.entries()].map(([at, value]) => [at, value.n])).toEqual([...model].sort(([a], [b]) => a - b));
        for (const [, { sums }] of cell.entries()) expect(sums).toBeInstanceOf(Float64Array);
      }
    }),
    { numRuns: 300 },
  );
});

it('refuses values of another version', () => {
  const cell = spec.open();
  cell.set(1, { n: 1, sums: new Float64Array(1) });
  const [{ bytes } = { bytes: null }] = cell.takeChanges();
  expect(() => spec.open().restore(1, bytes as Uint8Array, 4)).toThrow('version');
});
