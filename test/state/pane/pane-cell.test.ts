import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PaneCell, paneCell } from '../../../src/state/index.js';

type Key = string | number;
const spec = paneCell<Key>({ version: 7, numbers: 2, values: 1 });

/** What a ledger would keep. */
class Kept {
  readonly buckets = new Map<number, Uint8Array>();
  written = 0;

  take(cell: PaneCell<Key>): void {
    for (const { bucket, bytes } of cell.takeChanges()) {
      this.written += bytes?.length ?? 0;
      if (bytes) this.buckets.set(bucket, bytes);
      else this.buckets.delete(bucket);
    }
  }

  get bytes(): number {
    return [...this.buckets.values()].reduce((sum, { length }) => sum + length, 0);
  }

  restored(): PaneCell<Key> {
    const cell = spec.open();
    for (const [bucket, bytes] of [...this.buckets].reverse()) cell.restore(bucket, bytes, spec.version);
    return cell;
  }
}

/** Counts a key once more, and notes what came last. */
function bump(cell: PaneCell<Key>, startMs: number, key: Key, note: unknown = null): void {
  const pane = cell.open(startMs);
  const found = pane.find(key);
  const slot = found < 0 ? pane.add(key) : found;
  pane.numbers[2 * slot] = (pane.numbers[2 * slot] as number) + 1;
  pane.numbers[2 * slot + 1] = startMs / 3;
  pane.values[slot] = note;
  pane.touch(slot);
}

const contentOf = (cell: PaneCell<Key>) =>
  cell.panes.map((pane) => [
    pane.startMs,
    Array.from({ length: pane.size }, (_, slot) => [
      pane.keyAt(slot),
      ...pane.numbers.subarray(2 * slot, 2 * slot + 2),
      pane.values[slot],
    ]),
  ]);

describe('paneCell', () => {
  it('holds what a plain model holds, in the order in which it came, restored after any step', () => {
    const step = fc.oneof(
      { weight: 12, arbitrary: fc.tuple(fc.nat(5), fc.constantFrom<Key>('a', 'b', 1, '1', ''), fc.nat(9)) },
      { weight: 1, arbitrary: fc.nat(6) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 4 }), (steps, every) => {
        const kept = new Kept();
        let cell = spec.open();
        let droppedBefore = 0;
        const model = new Map<number, Map<Key, [number, number, unknown]>>();
        steps.forEach((taken, i) => {
          if (typeof taken === 'number') {
            cell.dropBefore(taken * 10);
            droppedBefore = Math.max(droppedBefore, taken);
            for (const start of model.keys()) if (start < taken * 10) model.delete(start);
          } else if (taken[0] >= droppedBefore) {
            const [at, key, note] = taken;
            bump(cell, at * 10, key, { note });
            const pane = model.get(at * 10) ?? new Map();
            pane.set(key, [(pane.get(key)?.[0] ?? 0) + 1, (at * 10) / 3, { note }]);
            model.set(at * 10, pane);
          }
          if (i % every === 0) {
            kept.take(cell);
            cell = kept.restored();
          } else if (i % 3 === 0) {
            kept.take(cell);
            expect(cell.takeChanges()).toEqual([]);
          }
          const expected = [...model]
            .sort(([a], [b]) => a - b)
            .map(([start, pane]) => [start, [...pane].map(([key, held]) => [key, ...held])]);
          expect(contentOf(cell)).toEqual(expected);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('writes what changed, and is never much more than twice what it holds', () => {
    const kept = new Kept();
    let cell = spec.open();
    for (let i = 0; i < 20_000; i++) bump(cell, 0, i);
    kept.take(cell);
    const whole = kept.written;
    expect(kept.buckets.size).toBeGreaterThan(10); // no bucket too large for a record of a log
    kept.written = 0;
    bump(cell, 0, 5);
    kept.take(cell);
    expect(kept.written).toBeLessThan(100);
    kept.written = 0;
    const rounds = 100;
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < 2_000; i++) bump(cell, 0, (i * 7_919 + round * 104_729) % 20_000);
      kept.take(cell);
      expect(kept.bytes).toBeLessThan(2.3 * whole);
      if (round % 10 === 0) cell = kept.restored();
    }
    expect(kept.written).toBeLessThan(3 * rounds * (whole / 10));
    expect(contentOf(kept.restored())).toEqual(contentOf(cell));
  });

  it('lets a pane go with one small write', () => {
    const kept = new Kept();
    const cell = spec.open();
    for (let i = 0; i < 3_000; i++) bump(cell, 10 * (i % 2), `key ${i}`);
    kept.take(cell);
    kept.written = 0;
    cell.dropBefore(10);
    kept.take(cell);
    expect(kept.written).toBeLessThan(20);
    expect(cell.takeChanges()).toEqual([]);
    cell.dropBefore(9); // before what is dropped already
    expect(cell.takeChanges()).toEqual([]);
    expect(contentOf(kept.restored())).toEqual(contentOf(cell));
    cell.dropBefore(20);
    kept.take(cell);
    expect(kept.buckets.size).toBe(1);
    expect(contentOf(kept.restored())).toEqual([]);
    expect(() => kept.restored().open(19)).toThrow(/opened again/);
  });

  it('cuts what is large into records that a log takes', () => {
    const kept = new Kept();
    const cell = spec.open();
    for (let i = 0; i < 40; i++) bump(cell, 0, i, 'x'.repeat(50_000));
    kept.take(cell);
    expect(Math.max(...[...kept.buckets.values()].map(({ length }) => length))).toBeLessThan(256 * 1024);
    expect(contentOf(kept.restored())).toEqual(contentOf(cell));
  });

  it('refuses another layout, and damaged state', () => {
    const kept = new Kept();
    const cell = spec.open();
    for (let i = 0; i < 3_000; i++) bump(cell, 0, i);
    kept.take(cell);
    const other = paneCell<Key>({ version: 8, numbers: 2, values: 1 }).open();
    expect(() => other.restore(1, kept.buckets.get(1) as Uint8Array, 7)).toThrow(/version 7/);
    kept.buckets.delete(1);
    expect(() => kept.restored().panes).toThrow(/cannot be read/);
  });
});
