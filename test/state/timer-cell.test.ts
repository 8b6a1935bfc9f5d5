import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BucketChange, CellSpec } from '../../src/core/index.js';
import { type TimerCell, timerCell, valueCell } from '../../src/state/index.js';

type Key = string | number;
type Timer = readonly [timeMs: number, key: Key];

const open = (timersMax = 10_000): TimerCell<Key> => timerCell<Key>({ timersMax }).open();

/** What a ledger would keep, and a cell restored from it. */
class Kept {
  readonly buckets = new Map<number, Uint8Array>();
  written = 0;

  take(cell: { takeChanges(): BucketChange[] }): void {
    for (const { bucket, bytes } of cell.takeChanges()) {
      this.written += bytes?.length ?? 0;
      if (bytes) this.buckets.set(bucket, bytes);
      else this.buckets.delete(bucket);
    }
  }

  restored(spec: CellSpec<TimerCell<Key>> = timerCell<Key>({ timersMax: 10_000 })): TimerCell<Key> {
    const cell = spec.open();
    for (const [bucket, bytes] of this.buckets) cell.restore(bucket, bytes, spec.version);
    return cell;
  }
}

const order = ([aMs, a]: Timer, [bMs, b]: Timer): number => {
  if (aMs !== bMs) return aMs - bMs;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
};

function fired(cell: TimerCell<Key>, nowMs: number): Timer[] {
  const timers: Timer[] = [];
  cell.takeDue(nowMs, (key, timeMs) => timers.push([timeMs, key]));
  return timers;
}

const time = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.constantFrom(0.5, -3, 8.64e15, -8.64e15, 1e300));
const key = fc.constantFrom<Key>('', 'a', 'b', 'B', 'é', '1', 1, 2, 1.5);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('add' as const), time, key) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('delete' as const), time, key) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('due' as const), time, key) },
);

describe('timerCell', () => {
  it('does what a plain sorted list does, restored after any step', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.boolean(), (steps, restoreAlways) => {
        const kept = new Kept();
        let cell = open();
        let list: Timer[] = [];
        for (const [what, timeMs, of] of steps) {
          const here = list.some(([t, k]) => t === timeMs && k === of);
          expect(cell.has(timeMs, of)).toBe(here);
          if (what === 'add') {
            expect(cell.add(timeMs, of)).toBe(!here);
            if (!here) list = [...list, [timeMs, of] as const].sort(order);
          } else if (what === 'delete') {
            expect(cell.delete(timeMs, of)).toBe(here);
            list = list.filter(([t, k]) => t !== timeMs || k !== of);
          } else {
            expect(fired(cell, timeMs)).toEqual(list.filter(([t]) => t <= timeMs));
            list = list.filter(([t]) => t > timeMs);
          }
          expect(cell.size).toBe(list.length);
          expect(cell.nextMs).toBe(list[0]?.[0] ?? Number.POSITIVE_INFINITY);
          if (!restoreAlways) continue;
          kept.take(cell);
          cell = kept.restored();
        }
        kept.take(cell);
        expect(fired(kept.restored(), Number.MAX_VALUE)).toEqual(list);
        expect(fired(cell, Number.MAX_VALUE)).toEqual(list);
        kept.take(cell);
        expect(kept.buckets.size).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('stays in order through thousands of timers, however they come and go', () => {
    const random = fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), fc.nat(40)), {
      minLength: 1_500,
      maxLength: 3_000,
    });
    fc.assert(
      fc.property(random, fc.nat(400), (timers, every) => {
        const kept = new Kept();
        let cell = open();
        const set = new Map<string, Timer>();
        timers.forEach(([timeMs, of], i) => {
          if (i % 3 === 2) {
            // One that may not be there, the oldest, or any.
            const there = [...set.values()].at([set.size, 0, timeMs % (set.size || 1)][of % 3] as number);
            const [ofMs, named] = there ?? [timeMs, of];
            expect(cell.delete(ofMs, named)).toBe(set.delete(`${ofMs}/${named}`));
          } else {
            expect(cell.add(timeMs, of)).toBe(!set.has(`${timeMs}/${of}`));
            set.set(`${timeMs}/${of}`, [timeMs, of]);
          }
          if (i % (every + 100) !== 0) return;
          const now = i;
          expect(fired(cell, now)).toEqual([...set.values()].filter(([t]) => t <= now).sort(order));
          for (const [name, [t]] of set) if (t <= now) set.delete(name);
          kept.take(cell);
          if (every % 2) cell = kept.restored();
        });
        expect(cell.size).toBe(set.size);
        expect(fired(cell, Number.MAX_VALUE)).toEqual([...set.values()].sort(order));
      }),
      { numRuns: 8 },
    );
  });

  it('fires what is added while it fires, in the same call', () => {
    const cell = open();
    cell.add(1, 'first');
    const order: string[] = [];
    cell.takeDue(3, (key, timeMs) => {
      order.push(`${key}@${timeMs}`);
      if (timeMs < 5) cell.add(timeMs + 1, key);
    });
    expect(order).toEqual(['first@1', 'first@2', 'first@3']);
    expect(cell.nextMs).toBe(4);
  });

  it('writes what changed, not what it holds', () => {
    const kept = new Kept();
    const cell = open(200_000);
    for (let i = 0; i < 100_000; i++) cell.add(1_700_000_000_000 + i, i % 977);
    kept.take(cell);
    expect(kept.written).toBeLessThan(100_000 * 8);
    kept.written = 0;
    cell.add(1_700_000_100_000, 'new');
    expect(fired(cell, 1_700_000_000_009)).toHaveLength(10);
    kept.take(cell);
    expect(kept.written).toBeLessThan(4_000);
    expect(fired(kept.restored(timerCell<Key>({ timersMax: 1e6 })), 1e15)).toHaveLength(99_991);
  });

  it('holds no more than it may', () => {
    const cell = open(2);
    cell.add(1, 'a');
    cell.add(2, 'a');
    expect(cell.add(2, 'a')).toBe(false);
    expect(() => cell.add(3, 'a')).toThrow(/more than 2 timers/);
    fired(cell, 1);
    expect(cell.add(3, 'a')).toBe(true);
    expect(() => timerCell({ timersMax: 0 })).toThrow(/cannot hold 0 timers/);
  });

  it('refuses what another cell or version wrote', () => {
    const other = valueCell({ initial: 0 }).open();
    other.set(1);
    const kept = new Kept();
    kept.take(other);
    expect(() => kept.restored().size).toThrow(/another kind of cell/);
    expect(() => open().restore(0, new Uint8Array(1), 2)).toThrow(/version 2/);
    expect(() => open().add(Number.NaN, 'a')).toThrow(/needs a time/);
  });
});
