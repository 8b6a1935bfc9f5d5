import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { type BucketChange, type Cell, MillraceError } from '../../../src/core/index.js';
import { type MapCell, mapCell } from '../../../src/state/index.js';

type Stored = Map<number, { readonly bytes: Uint8Array; readonly version: number }>;

/** Stores what a cell gives out, as a ledger does, and counts the bytes. */
function take(cell: Cell, stored: Stored, version = 1): number {
  let written = 0;
  for (const { bucket, bytes } of cell.takeChanges()) {
    written += bytes?.length ?? 0;
    if (bytes === null) {
      expect(stored.delete(bucket), `bucket ${bucket} is taken back and was there`).toBe(true);
    } else stored.set(bucket, { bytes: bytes.slice(), version });
    bytes?.fill(0xff);
  }
  return written;
}

function restored<C extends Cell>(cell: C, stored: Stored, order: (a: number, b: number) => number): C {
  for (const [bucket, { bytes, version }] of [...stored].sort(([a], [b]) => order(a, b)))
    cell.restore(bucket, bytes.slice(), version);
  return cell;
}

/** A generator of numbers below `max`, by seed. */
function random(seed: number): (max: number) => number {
  let state = seed | 1;
  return (max) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % max;
  };
}

const shuffled = (seed: number) => {
  const next = random(seed);
  const ranks = new Map<number, number>();
  const rank = (n: number) => {
    const known = ranks.get(n) ?? next(2 ** 30);
    ranks.set(n, known);
    return known;
  };
  return (a: number, b: number) => rank(a) - rank(b);
};

function agree(cell: MapCell<string | number, unknown>, model: ReadonlyMap<string | number, unknown>) {
  expect(cell.size).toBe(model.size);
  const held = new Map([...cell.keys()].map((key) => [key, cell.get(key)]));
  expect(held.size).toBe(model.size);
  for (const [key, value] of model) expect(held.get(key), String(key)).toEqual(value);
}

interface Life {
  readonly seed: number;
  readonly keysMax: number;
  /** Writes of each epoch, the share of them that delete, and whether the map is restored after it. */
  readonly epochs: readonly { readonly writes: number; readonly deletes: number; readonly restore: boolean }[];
}

const lives: fc.Arbitrary<Life> = fc.record({
  seed: fc.nat(),
  keysMax: fc.constantFrom(3, 40, 1_500, 4_000),
  epochs: fc.array(
    fc.record({
      writes: fc.constantFrom(0, 1, 1, 3, 3, 30, 30, 400, 4_000),
      deletes: fc.constantFrom(0, 10, 50, 100),
      restore: fc.boolean(),
    }),
    { minLength: 1, maxLength: 50, size: 'max' },
  ),
});

describe('a map without bounds', () => {
  it('agrees with a plain map at every epoch, restored in any order of its buckets', () => {
    fc.assert(
      fc.property(lives, ({ seed, keysMax, epochs }) => {
        const next = random(seed);
        const spec = mapCell<string | number, unknown>();
        const model = new Map<string | number, unknown>();
        const stored: Stored = new Map();
        let cell = spec.open();
        epochs.forEach(({ writes, deletes, restore }, epoch) => {
          for (let i = 0; i < writes; i++) {
            const n = next(keysMax);
            const key = n % 3 === 0 ? n : n % 3 === 1 ? n + 0.5 : `key ${n}`;
            if (next(100) < deletes) {
              expect(cell.delete(key)).toBe(model.delete(key));
              continue;
            }
            expect(cell.get(key)).toEqual(model.get(key));
            const value = n % 2 === 0 ? true : { epoch, text: 'x'.repeat(next(40)) };
            cell.set(key, value);
            model.set(key, value);
          }
          expect(cell.size).toBe(model.size);
          take(cell, stored);
          if (restore) cell = restored(spec.open(), stored, shuffled(seed + epoch));
        });
        agree(cell, model);
        agree(restored(spec.open(), stored, shuffled(seed)), model);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps what has changed when more keys have changed since than are held decoded', () => {
    const keys = 2 * 131_072 + 2;
    const cell = mapCell<number, number>().open();
    const stored: Stored = new Map();
    for (const key of [0, 1]) cell.set(key, 10 + key);
    take(cell, stored);
    cell.set(0, 20);
    cell.delete(1);
    for (let key = 2; key < keys; key++) cell.set(key, 10 + key);
    expect([cell.get(0), cell.has(1), cell.get(2), cell.size]).toEqual([20, false, 12, keys - 1]);
    take(cell, stored);
    const again = restored(mapCell<number, number>().open(), stored, (a, b) => a - b);
    expect([again.get(0), again.has(1), again.get(2), again.get(keys - 1)]).toEqual([20, false, 12, 10 + keys - 1]);
    expect(again.size).toBe(keys - 1);
  });

  it('gives keys in an order that is a function of the keys alone', () => {
    const spec = mapCell<string, number>();
    const forward = spec.open();
    const backward = spec.open();
    const stored: Stored = new Map();
    for (let n = 0; n < 3_000; n++) forward.set(`k${n}`, n);
    for (let n = 2_999; n >= 0; n--) {
      backward.set(`k${n}`, n);
      if (n % 500 === 0) take(backward, stored);
    }
    expect([...backward.keys()]).toEqual([...forward.keys()]);
    expect([...restored(spec.open(), stored, (a, b) => b - a).keys()]).toEqual([...forward.keys()]);
  });

  it('keeps every key apart: numbers, strings of any code units, long ones', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 }).map((units) => String.fromCharCode(...units)),
      fc.nat(300).map((length) => 'ä'.repeat(length)),
      fc.nat(70_000).map((length) => 'a'.repeat(length)),
    );
    const key = fc.oneof(text, fc.integer(), fc.double(), fc.constantFrom(0, -0, '0', 2 ** 31, -(2 ** 31), Number.NaN));
    fc.assert(
      fc.property(fc.array(key, { maxLength: 30 }), (keys) => {
        const spec = mapCell<string | number, unknown>();
        const cell = spec.open();
        const model = new Map<string | number, unknown>();
        keys.forEach((each, n) => {
          cell.set(each, n);
          model.set(each, n);
        });
        const stored: Stored = new Map();
        take(cell, stored);
        const again = restored(spec.open(), stored, (a, b) => b - a);
        agree(again, model);
        for (const each of keys) expect(again.get(each)).toBe(model.get(each));
      }),
    );
  });

  it('iterates while keys are deleted, added and written out', () => {
    const cell = mapCell<number, number>().open();
    for (let n = 0; n < 5_000; n++) cell.set(n, n);
    const seen = new Set<number>();
    for (const key of cell.keys()) {
      seen.add(key);
      cell.delete((key + 1) % 5_000);
      if (key % 100 === 0) cell.takeChanges();
      if (key % 7 === 0) cell.set(10_000 + key, key);
    }
    const before = [...seen].filter((key) => key < 5_000);
    for (const key of before) expect(cell.has((key + 1) % 5_000), String(key)).toBe(false);
    for (let n = 0; n < 5_000; n++) expect(seen.has(n) || !cell.has(n)).toBe(true);
  });

  it('writes what changed, not what stands beside it, and little more in the long run', () => {
    const cell = mapCell<number, { n: number; text: string }>().open();
    const stored: Stored = new Map();
    for (let n = 0; n < 50_000; n++) cell.set(n, { n, text: 'some text of a usual length' });
    take(cell, stored);
    const bytesOf = (buckets: Stored) => [...buckets.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
    const entryBytes = bytesOf(stored) / 50_000;
    cell.set(7, { n: 8, text: 'some text of a usual length' });
    expect(take(cell, stored)).toBeLessThan(2 * entryBytes);

    const next = random(5);
    const perEpoch: number[] = [];
    for (let epoch = 0; epoch < 250; epoch++) {
      for (let i = 0; i < 1_000; i++) cell.set(next(50_000), { n: i, text: 'some text of a usual length' });
      perEpoch.push(take(cell, stored) / (1_000 * entryBytes));
    }
    const mean = perEpoch.reduce((sum, each) => sum + each, 0) / perEpoch.length;
    expect(mean).toBeLessThan(3);
    expect(Math.max(...perEpoch)).toBeLessThan(8); // shards are not written whole at the same time
    expect(bytesOf(stored)).toBeLessThan(2.5 * 50_000 * entryBytes);
  });

  it('has few buckets, however small and many the changes', () => {
    const cell = mapCell<number, number>().open();
    const stored: Stored = new Map();
    for (let n = 0; n < 900; n++) cell.set(n, n);
    take(cell, stored);
    expect(stored.size).toBe(1);
    for (let epoch = 0; epoch < 600; epoch++) {
      cell.set(epoch, 1 - epoch);
      take(cell, stored);
      expect(stored.size).toBeLessThan(110);
    }
    agree(
      restored(mapCell<string | number, unknown>().open(), stored, (a, b) => a - b),
      new Map(Array.from({ length: 900 }, (_, n) => [n, n < 600 ? 1 - n : n])),
    );
  });

  it('ends with no bucket when the last key is gone, and begins anew', () => {
    const spec = mapCell<number, number>();
    const cell = spec.open();
    const stored: Stored = new Map();
    for (let n = 0; n < 4_000; n++) cell.set(n, n);
    take(cell, stored);
    for (let n = 0; n < 4_000; n++) cell.delete(n);
    take(cell, stored);
    expect(stored.size).toBe(0);
    cell.set(1, 1);
    take(cell, stored);
    agree(
      restored(spec.open() as MapCell<string | number, unknown>, stored, (a, b) => a - b),
      new Map([[1, 1]]),
    );
  });

  it('reads buckets as they were before there were shards, and stores them as shards', () => {
    const packr = new Packr({ useRecords: true, moreTypes: true });
    const oldBucket = (value: unknown) => Buffer.concat([Buffer.from([2]), packr.pack(value)]);
    const stored: Stored = new Map([
      [
        3,
        {
          bytes: oldBucket([
            ['a', 'b'],
            [1, 2],
          ]),
          version: 1,
        },
      ],
      [1_023, { bytes: oldBucket([['c']]), version: 1 }],
    ]);
    const spec = mapCell<string | number, unknown>({ version: 2, migrate: (old) => [old] });
    const cell = restored(spec.open(), stored, (a, b) => a - b);
    expect(cell.takeChanges()).toEqual([]); // nobody asked for it yet
    const model = new Map<string, unknown>([
      ['a', [1]],
      ['b', [2]],
      ['c', [true]],
    ]);
    agree(cell, model);
    take(cell, stored, 2);
    expect(Math.min(...stored.keys())).toBeGreaterThanOrEqual(1_024);
    agree(
      restored(spec.open(), stored, (a, b) => a - b),
      model,
    );
  });

  it('migrates bases and deltas of several versions', () => {
    const stored: Stored = new Map();
    const first = mapCell<number, unknown>().open();
    for (let n = 0; n < 100; n++) first.set(n, { one: n });
    take(first, stored);
    first.set(5, { one: 55 });
    take(first, stored);
    expect(stored.size).toBe(2);
    const spec = mapCell<string | number, unknown>({
      version: 2,
      migrate: (old) => ({ two: (old as { one: number }).one }),
    });
    const second = restored(spec.open(), stored, (a, b) => a - b);
    expect(second.get(5)).toEqual({ two: 55 });
    second.set(6, { two: 66 });
    take(second, stored, 2);
    expect([...stored.values()].map(({ version }) => version)).toEqual([2]);
    expect(restored(spec.open(), stored, (a, b) => a - b).get(6)).toEqual({ two: 66 });
  });

  it('refuses buckets that are damaged, foreign or do not belong together', () => {
    const cell = mapCell<number, number>().open();
    for (let n = 0; n < 3_000; n++) cell.set(n, n);
    const bases = cell.takeChanges() as (BucketChange & { readonly bytes: Uint8Array })[];
    cell.set(1, 2);
    const [delta] = cell.takeChanges() as typeof bases;
    const codeOf = (buckets: readonly (BucketChange & { readonly bytes: Uint8Array })[]) => {
      try {
        const again = mapCell<number, number>().open();
        for (const { bucket, bytes } of buckets) again.restore(bucket, bytes.slice(), 1);
        for (const key of again.keys()) again.get(key);
      } catch (error) {
        return error instanceof MillraceError ? error.code : `not ours: ${error}`;
      }
      return 'no error';
    };
    if (!delta || !bases[0]) throw new Error('nothing was written');
    expect(codeOf(bases)).toBe('no error');
    expect(codeOf([delta]), 'a delta without its base').toBe('state');
    expect(codeOf([{ ...bases[0], bucket: 1_024 + 128 }, ...bases]), 'a shard and its parts').toBe('state');
    expect(codeOf([{ ...bases[0], bytes: bases[0].bytes.subarray(0, -3) }]), 'cut').toBe('state');
    expect(codeOf([{ ...bases[0], bytes: Uint8Array.of(9) }]), 'without a head').toBe('state');
    expect(codeOf([{ ...bases[0], bytes: Uint8Array.of(1, 2, 3) }]), 'of another kind').toBe('state');
    expect(codeOf([{ ...bases[0], bucket: 1_030 }]), 'of no shard').toBe('state');
  });
});
