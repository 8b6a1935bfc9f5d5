import { describe, expect, it } from 'vitest';
import { type Cell, hours, MillraceError } from '../../src/core/index.js';
import { arenaCell, float64Cell, hashKey, mapCell, ringCell, valueCell } from '../../src/state/index.js';

const written = (cell: Cell) => cell.takeChanges().map(({ bucket, bytes }) => ({ bucket, bytes: bytes as Uint8Array }));
const put = <C extends Cell>(cell: C, changes: ReturnType<typeof written>, version: number): C => {
  for (const { bucket, bytes } of changes) cell.restore(bucket, bytes, version);
  return cell;
};
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof MillraceError ? `${error.code}: ${error.hint}` : `not ours: ${error}`;
  }
  return 'no error';
};

describe('versions of a cell', () => {
  const migrate = (old: unknown, from: number) => ({ n: Number(old), from });

  it('migrates a value, once, and writes it under the new version', () => {
    const old = valueCell({ initial: 0 }).open();
    old.set(7);
    const cell = put(valueCell({ version: 3, initial: { n: 0, from: 0 }, migrate }).open(), written(old), 1);
    expect(cell.get()).toEqual({ n: 7, from: 1 });
    const again = put(valueCell({ version: 3, initial: { n: 0, from: 0 }, migrate }).open(), written(cell), 3);
    expect(again.get()).toEqual({ n: 7, from: 1 });
    expect(again.takeChanges()).toEqual([]);
  });

  it.each([{}, { ttl: hours(1) }, { entriesMax: 10 }])('migrates the values of a map %o', (bounds) => {
    const old = mapCell<string, number>(bounds).open();
    old.set('a', 1, 0);
    old.set('b', 2, 0);
    const spec = mapCell<string, { n: number; from: number }>({ ...bounds, version: 2, migrate });
    const cell = put(spec.open(), written(old), 1);
    expect(cell.get('b')).toEqual({ n: 2, from: 1 });
    expect(put(spec.open(), written(cell), 2).get('b')).toEqual({ n: 2, from: 1 });
  });

  it('refuses what it cannot read, at once and with what to do', () => {
    const bytes = (cell: Cell) => written(cell);
    const value = valueCell({ initial: '' }).open();
    value.set('a long enough text');
    const numbers = float64Cell({ size: 10 }).open();
    numbers.touch(0);
    const ring = ringCell<number>({ length: 3 }).open();
    ring.push(1);
    const arena = arenaCell({ width: 200, recordsMax: 4 }).open();
    arena.touch(arena.allocate());
    arena.allocate();
    const [v, n, r, a] = [bytes(value), bytes(numbers), bytes(ring), bytes(arena)];
    expect(put(arenaCell({ width: 200, recordsMax: 2 }).open(), a, 1).used).toBe(2);
    expect(codeOf(() => put(arenaCell({ width: 200, recordsMax: 1 }).open(), a, 1))).toMatch(/^state: .*layout/);
    expect(codeOf(() => put(arenaCell({ width: 201, recordsMax: 4 }).open(), a, 1))).toMatch(/^state: .*layout/);
    expect(codeOf(() => put(arenaCell({ width: 200, recordsMax: 4, version: 2 }).open(), a, 1))).toMatch(/^state/);
    expect(codeOf(() => put(valueCell({ version: 2, initial: 0 }).open(), v, 1))).toMatch(/^state: .*migrate/);
    expect(codeOf(() => put(valueCell({ version: 1, initial: 0, migrate: () => 0 }).open(), v, 2))).toMatch(
      /^state: run the version/,
    );
    expect(codeOf(() => put(mapCell<string, number>({ version: 2 }).open(), v, 1))).toMatch(/^state/);
    expect(codeOf(() => put(mapCell<string, number>({ version: 2, entriesMax: 1 }).open(), v, 1))).toMatch(/^state/);
    expect(codeOf(() => put(float64Cell({ size: 11 }).open(), n, 1))).toMatch(/^state: .*layout/);
    expect(codeOf(() => put(float64Cell({ size: 10, version: 2 }).open(), n, 1))).toMatch(/^state/);
    expect(codeOf(() => put(ringCell({ length: 4 }).open(), r, 1))).toMatch(/^state/);
    expect(codeOf(() => put(ringCell({ length: 3 }).open(), v, 1))).toMatch(/^state: .*new name/);
    expect(codeOf(() => put(valueCell({ initial: 0 }).open(), r, 1).get())).toMatch(/^state: .*new name/);
    expect(codeOf(() => put(mapCell<string, number>({ ttl: hours(1) }).open(), r, 1).get('a'))).toMatch(/^state/);
    const torn = v.map(({ bucket, bytes }) => ({ bucket, bytes: bytes.subarray(0, bytes.length - 3) }));
    expect(codeOf(() => put(valueCell({ initial: '' }).open(), torn, 1).get())).toMatch(/^state: .*damaged/);
    const mapped = mapCell<string, number>({ entriesMax: 5 }).open();
    mapped.set('a', 1);
    expect(codeOf(() => put(mapCell<string, number>({ ttl: hours(1) }).open(), written(mapped), 1).size)).toMatch(
      /^state: .*new name/,
    );
  });

  it('refuses shapes that cannot be', () => {
    expect(codeOf(() => float64Cell({ size: 0 }))).toMatch(/^config/);
    expect(codeOf(() => float64Cell({ size: 8, block: 3 }))).toMatch(/^config/);
    expect(codeOf(() => ringCell({ length: 1.5 }))).toMatch(/^config/);
    expect(codeOf(() => arenaCell({ width: 0, recordsMax: 1 }))).toMatch(/^config/);
    expect(codeOf(() => mapCell({ entriesMax: 0 }))).toMatch(/^config/);
  });

  it('keeps every kind of value that operators keep', () => {
    const spec = valueCell<unknown>({ initial: null });
    const kept = [
      {
        dense: new Float32Array([1.5, -0, Number.NaN]),
        indices: new Uint32Array([1, 2 ** 32 - 1]),
        wide: new Float64Array([Math.PI]),
      },
      [
        5n,
        -(2n ** 90n),
        new Date(1_600_000_000_123),
        undefined,
        null,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        2 ** 53,
        1e-310,
      ],
      new Map<unknown, unknown>([
        [1, 'number'],
        ['1', new Set([1])],
      ]),
    ];
    const cell = spec.open();
    cell.set(kept);
    const [change] = written(cell);
    expect(put(spec.open(), [change as { bucket: number; bytes: Uint8Array }], 1).get()).toEqual(kept);
  });

  it('hashes keys as it always did', () => {
    // Stored buckets depend on these numbers: they may never change.
    expect(['', 'a', 'ATL', 'é😀', 0, -0, 1, -1, 2 ** 31, 0.1, Number.NaN].map(hashKey)).toEqual([
      2872998923, 444641715, 670541581, 4159213040, 0, 0, 1364076727, 2180083513, 3352118619, 1383381028, 1463394195,
    ]);
    expect(hashKey('1')).not.toBe(hashKey(1));
  });

  it('gives each task its own initial value', () => {
    const spec = valueCell({ initial: { n: 0 } });
    const a = spec.open();
    a.get().n = 5;
    expect(spec.open().get()).toEqual({ n: 0 });
  });
});
