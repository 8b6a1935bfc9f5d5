import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NumbersByKeyCell, numbersByKeyCell } from '../../../src/state/index.js';

type Key = string | number;
type Stored = Map<number, Uint8Array>;

const take = (cell: NumbersByKeyCell<Key>, into: Stored): number => {
  const changes = cell.takeChanges();
  for (const { bucket, bytes } of changes) into.set(bucket, (bytes as Uint8Array).slice());
  return changes.length;
};
const restored = (spec: ReturnType<typeof numbersByKeyCell<Key>>, stored: Stored, version = spec.version) => {
  const cell = spec.open();
  // At odd places, as bytes come out of a log; the newest bucket first.
  for (const [bucket, bytes] of [...stored].reverse())
    cell.restore(bucket, Buffer.from([0, ...bytes]).subarray(1), version);
  return cell;
};
const numbersOf = (cell: NumbersByKeyCell<Key>, key: Key, width: number) => {
  const at = cell.find(key);
  return at < 0 ? undefined : [...cell.values.subarray(at, at + width)];
};

describe('numbers by key', () => {
  const keys: readonly Key[] = [
    'a',
    'b',
    '',
    'ü',
    '漢字',
    '\ud800',
    0,
    1,
    -7,
    1.5,
    2 ** 40,
    'a long key with many letters',
  ];
  const op = fc.record({ key: fc.constantFrom(...keys), value: fc.double(), cut: fc.boolean(), reads: fc.boolean() });

  it.each([
    [3, 4],
    [1, 12],
    [700, 5],
  ])(
    'are those of a map that evicts the least recently used key, after any restores: width %i, %i keys',
    (width, entriesMax) => {
      const spec = numbersByKeyCell<Key>({ width, entriesMax });
      fc.assert(
        fc.property(fc.array(op, { maxLength: 60 }), (ops) => {
          const plain = new Map<Key, number>();
          const stored: Stored = new Map();
          let cell = spec.open();
          for (const { key, value, cut, reads } of ops) {
            if (reads) expect(cell.find(key) >= 0).toBe(plain.has(key));
            else {
              const isNew = !plain.has(key);
              if (isNew && plain.size === entriesMax) plain.delete(plain.keys().next().value as Key);
              plain.delete(key);
              plain.set(key, value);
              const at = cell.use(key);
              if (isNew) expect(numbersOf(cell, key, width)).toEqual(new Array(width).fill(0));
              cell.values.fill(value, at, at + width);
            }
            if (cut) {
              take(cell, stored);
              cell = restored(spec, stored);
            }
          }
          expect(cell.size).toBe(plain.size);
          for (const key of keys) {
            const value = plain.get(key);
            expect(numbersOf(cell, key, width)).toEqual(value === undefined ? undefined : new Array(width).fill(value));
          }
        }),
        { numRuns: 60 },
      );
    },
  );

  it('write the blocks of the keys that were used, and nothing for those that were only found', () => {
    const cell = numbersByKeyCell<Key>({ width: 255, entriesMax: 10 }).open();
    for (let key = 0; key < 6; key++) cell.use(key);
    expect(cell.takeChanges().map(({ bucket }) => bucket)).toEqual([0, 1, 2]);
    expect(cell.changedBytes).toBe(0);
    cell.find(0);
    expect(cell.takeChanges()).toEqual([]);
    cell.use(3);
    expect(cell.changedBytes).toBe(3 + 2 * 8 * 256);
    const [change] = cell.takeChanges();
    expect(change?.bucket).toBe(1);
    expect(change?.bytes?.length).toBe(3 + 2 * (8 * 256 + 5));
    expect(cell.evicted).toBe(0);
  });

  it('take little more than their bytes', () => {
    const cell = numbersByKeyCell<Key>({ width: 12, entriesMax: 100_000 }).open();
    for (let i = 0; i < 100_000; i++) cell.values[cell.use(`customer-${i}`)] = i;
    expect(cell.values.length).toBe(13 * 100_000);
    for (let i = 0; i < 50_000; i++) cell.use(`other-${i}`);
    expect([cell.size, cell.evicted]).toEqual([100_000, 50_000]);
    expect(cell.find('customer-49999')).toBe(-1);
    expect(cell.values[cell.find('customer-50000')]).toBe(50_000);
  });

  it('refuse what they cannot be, and bytes of others', () => {
    expect(() => numbersByKeyCell({ width: 0, entriesMax: 1 })).toThrow('there cannot be 1 keys of 0 numbers');
    const spec = numbersByKeyCell<Key>({ width: 300, entriesMax: 4 });
    const cell = spec.open();
    for (const key of keys.slice(0, 3)) cell.use(key);
    const stored: Stored = new Map();
    take(cell, stored);
    expect(restored(numbersByKeyCell<Key>({ width: 300, entriesMax: 3 }), stored).size).toBe(3);
    const state = expect.objectContaining({ code: 'state' });
    expect(() => restored(numbersByKeyCell<Key>({ width: 300, entriesMax: 2 }), stored)).toThrow(state);
    expect(() => restored(numbersByKeyCell<Key>({ width: 301, entriesMax: 4 }), stored)).toThrow(state);
    expect(() => restored(spec, stored, 2)).toThrow(state);
    const cut = new Map([...stored].map(([bucket, bytes]) => [bucket, bytes.slice(0, -1)]));
    expect(() => restored(spec, cut)).toThrow(state);
    stored.delete(1);
    expect(() => restored(spec, stored).size).toThrow(state); // a block is missing
  });

  it('are still forgotten in the order of their uses, in the cells that they are divided over', () => {
    const spec = numbersByKeyCell<Key>({ width: 1, entriesMax: 3 });
    const from = spec.open();
    for (const key of ['a', 'b', 'c', 'a']) from.values[from.use(key)] = key.charCodeAt(0);
    const [to, other] = [spec.open(), spec.open()];
    from.spread?.((key) => (key === 'c' ? other : to));
    to.use('d');
    to.use('e');
    expect(['a', 'b', 'c', 'd', 'e'].map((key) => numbersOf(to, key, 1))).toEqual([
      [97],
      undefined,
      undefined,
      [0],
      [0],
    ]);
    expect(numbersOf(other, 'c', 1)).toEqual([99]);
    expect([to.evicted, other.size]).toEqual([1, 1]);
  });
});
