import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cell, type CellSpec, hours } from '../../src/core/index.js';
import {
  mapCell,
  numbersByKeyCell,
  packedMapCell,
  paneCell,
  rescale,
  setCell,
  timerCell,
  valueCell,
} from '../../src/state/index.js';

const TTL = hours(1);
const key = fc.oneof(fc.nat(30), fc.stringMatching(/^[a-z]{1,3}$/));
const writes = fc.array(fc.tuple(key, fc.nat(2 * TTL)), { maxLength: 200 });

/** What a cell holds, as plain data. */
const contents: Readonly<Record<string, (cell: never) => unknown[]>> = {
  map: (cell: { keys(): Iterable<string | number>; get(key: string | number): unknown }) =>
    [...cell.keys()].map((each) => [each, cell.get(each)]),
  panes: (cell: {
    panes: readonly {
      startMs: number;
      size: number;
      keyAt(slot: number): unknown;
      numbers: Float64Array;
      values: unknown[];
    }[];
  }) =>
    cell.panes.flatMap((pane) =>
      Array.from({ length: pane.size }, (_, slot) => [
        pane.startMs,
        pane.keyAt(slot),
        [...pane.numbers.slice(2 * slot, 2 * slot + 2)],
        pane.values[slot],
      ]),
    ),
};

/** Keys of numbers: the cell does not list its own. */
const used = new Set<string | number>();

const specs: Readonly<
  Record<
    string,
    { spec: CellSpec; write(cell: never, key: string | number, timeMs: number): void; read(cell: never): unknown[] }
  >
> = {
  'a map': {
    spec: mapCell<string | number, number>(),
    write: (cell: { set(key: string | number, value: number): void }, of, timeMs) => cell.set(of, timeMs),
    read: contents.map as never,
  },
  'a map with a ttl': {
    spec: mapCell<string | number, number>({ ttl: TTL }),
    write: (cell: { set(k: string | number, v: number, t: number): void }, of, timeMs) => cell.set(of, timeMs, timeMs),
    read: contents.map as never,
  },
  'a map of so many entries': {
    spec: mapCell<string | number, number>({ entriesMax: 500 }),
    write: (cell: { set(key: string | number, value: number): void }, of, timeMs) => cell.set(of, timeMs),
    read: contents.map as never,
  },
  'a packed map': {
    spec: packedMapCell<string | number, { n: number; text: string }>({
      ttl: TTL,
      packing: {
        width: 1,
        pack: ({ n, text }, numbers, at) => {
          numbers[at] = n;
          return text;
        },
        unpack: (numbers, at, rest) => ({ n: numbers[at] as number, text: rest as string }),
      },
    }),
    write: (cell: { set(k: string | number, v: unknown, t: number): void }, of, timeMs) =>
      cell.set(of, { n: timeMs, text: `t${timeMs}` }, timeMs),
    read: contents.map as never,
  },
  'a set': {
    spec: setCell<string | number>({ ttl: TTL, entriesMax: 500 }),
    write: (cell: { set(k: string | number, v: true, t: number): void }, of, timeMs) => cell.set(of, true, timeMs),
    read: contents.map as never,
  },
  'numbers by key': {
    spec: numbersByKeyCell<string | number>({ width: 2, entriesMax: 1_000 }),
    write: (cell: { use(key: string | number): number; values: Float64Array }, of, timeMs) => {
      used.add(of);
      const at = cell.use(of);
      cell.values[at] = timeMs;
      cell.values[at + 1] = (cell.values[at + 1] as number) + 1;
    },
    read: (cell: { find(key: string | number): number; values: Float64Array }) =>
      [...used].flatMap((of) => {
        const at = cell.find(of);
        return at < 0 ? [] : [[of, cell.values[at], cell.values[at + 1]]];
      }),
  },
  timers: {
    spec: timerCell<string | number>({ timersMax: 1_000 }),
    write: (cell: { add(timeMs: number, key: string | number): void }, of, timeMs) => cell.add(timeMs, of),
    read: (cell: { takeDue(nowMs: number, fire: (key: unknown, timeMs: number) => void): void }) => {
      const found: unknown[] = [];
      cell.takeDue(Number.MAX_SAFE_INTEGER, (of, timeMs) => found.push([timeMs, of]));
      return found;
    },
  },
  panes: {
    spec: paneCell<string | number>({ version: 1, numbers: 2, values: 1 }),
    write: (
      cell: {
        open(startMs: number): {
          find(key: string | number): number;
          add(key: string | number): number;
          numbers: Float64Array;
          values: unknown[];
          touch(slot: number): void;
        };
      },
      of,
      timeMs,
    ) => {
      const pane = cell.open(Math.floor(timeMs / 1_000_000) * 1_000_000);
      const found = pane.find(of);
      const slot = found < 0 ? pane.add(of) : found;
      pane.numbers[2 * slot] = (pane.numbers[2 * slot] ?? 0) + 1;
      pane.numbers[2 * slot + 1] = timeMs;
      pane.values[slot] = `${timeMs}`;
      pane.touch(slot);
    },
    read: contents.panes as never,
  },
};

const restored = (spec: CellSpec, cell: Cell): Cell => {
  const copy = spec.open();
  for (const { bucket, bytes } of cell.takeChanges()) if (bytes) copy.restore(bucket, bytes, spec.version);
  return copy;
};
const ownerOf = (of: string | number, cells: number): number => String(of).length % cells;

describe('cells that are divided by key', () => {
  it.each(Object.keys(specs))('%s: nothing is lost, doubled or in the wrong place, also after a restore', (name) => {
    const { spec, write, read } = specs[name] as (typeof specs)[string];
    fc.assert(
      fc.property(writes, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), (written, before, after) => {
        const from = Array.from({ length: before }, () => spec.open());
        for (const [of, timeMs] of written) write(from[ownerOf(of, before)] as never, of, timeMs);
        const stored = from.map((cell) => restored(spec, cell));
        const to = Array.from({ length: after }, () => spec.open());
        for (const cell of stored) cell.spread?.((of) => to[ownerOf(of, after)] as Cell);
        const found = to.map((cell) => read(restored(spec, cell) as never));
        const expected = from.flatMap((cell) => read(cell as never));
        expect(
          found
            .flat()
            .map((entry) => JSON.stringify(entry))
            .sort(),
        ).toEqual(expected.map((entry) => JSON.stringify(entry)).sort());
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['map', mapCell<string, true>({ ttl: TTL })],
    ['set', setCell<string>({ ttl: TTL, entriesMax: 10 })],
  ])('%s: what one of them had expired is not taken again', (_, spec) => {
    const [from, to] = [spec.open(), spec.open()];
    from.set('live', true, TTL);
    from.expire(TTL + 1);
    from.spread?.(() => to);
    to.set('old', true, 0);
    expect([to.has('live'), to.has('old')]).toEqual([true, false]);
  });
});

describe('values of all tasks', () => {
  it('become one', () => {
    expect([rescale.highest([1, 3, 2]), rescale.lowest([2, 1, 3]), rescale.sameInAll(['a', 'a'])]).toEqual([3, 1, 'a']);
    expect(() => rescale.sameInAll([1, 2])).toThrow('tasks differ: 1, 2');
  });

  it('are declared with the cell, which stays as it was otherwise', () => {
    const spec = valueCell({ initial: 3 });
    for (const declared of [rescale.merged(spec, rescale.highest), rescale.derived(spec, () => 4)]) {
      expect({ ...declared, rescale: undefined }).toEqual({ ...spec, rescale: undefined });
      expect(declared.open().get()).toBe(3);
    }
  });
});
