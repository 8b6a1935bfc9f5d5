import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cell, hours, millis } from '../../../src/core/index.js';
import { type MapCell, mapCell, setCell } from '../../../src/state/index.js';

type Key = string | number;
type Stored = Map<number, Uint8Array>;
type Spec = ReturnType<typeof setCell<Key>>;

/** Stores the changes as a ledger does; the bytes are its own. */
function take(cell: Cell, stored: Stored): number {
  const changes = cell.takeChanges();
  for (const { bucket, bytes } of changes) {
    if (bytes === null) expect(stored.delete(bucket), 'what is deleted was stored').toBe(true);
    else stored.set(bucket, bytes.slice());
    bytes?.fill(0xff);
  }
  return changes.length;
}

/** At odd places, as bytes come out of a log; the newest bucket first. */
function restored(spec: Spec, stored: Stored): MapCell<Key, true> {
  const cell = spec.open();
  for (const [bucket, bytes] of [...stored].reverse())
    cell.restore(bucket, Buffer.from([0, ...bytes]).subarray(1), spec.version);
  return cell;
}

/** The bytes of all buckets in their order. Their numbers may differ after the newest segment was deleted. */
const inOrder = (stored: Stored) => [...stored].sort(([a], [b]) => a - b).map(([, bytes]) => [...bytes]);

const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e';
const keys: readonly Key[] = [
  ...[0, 1, -7, 2 ** 31, 2 ** 40 + 1, 0.5, -1e300, Number.POSITIVE_INFINITY],
  ...['', '0', '1', 'é', '漢字', '\ud83d', '\ude00', '__proto__', 'constructor', '\u0000', '\u0000\u0000'],
  ...[uuid, uuid.toUpperCase(), uuid.slice(0, 35), `${uuid.slice(0, 35)}f`],
  ...['x'.repeat(3_000), 'y'.repeat(5_000), '\ud83d'.repeat(3_000)],
];

const TTL = 240;
const history = fc.array(
  fc.record({ key: fc.constantFrom(...keys), step: fc.nat(40), cut: fc.boolean(), deletes: fc.nat(9) }),
  { maxLength: 70 },
);

describe('a set cell', () => {
  it('is a plain map with a limit of age and number, whatever was restored when: 1,000 histories', () => {
    fc.assert(
      fc.property(history, fc.constantFrom(1, 3, 1_000), fc.boolean(), (ops, entriesMax, always) => {
        const spec = setCell<Key>({ ttl: millis(TTL), entriesMax });
        const live = spec.open();
        let cell = spec.open();
        const [stored, storedLive]: [Stored, Stored] = [new Map(), new Map()];
        const model = new Map<Key, number>(); // in the order of writes
        let [now, evicted, evictedBefore] = [0, 0, 0];
        for (const { key, step, cut, deletes } of ops) {
          now += step;
          for (const [old, timeMs] of model) if (timeMs + TTL <= now) model.delete(old);
          for (const each of [cell, live]) {
            each.expire(now);
            expect(each.has(key)).toBe(model.has(key));
            if (deletes === 0) expect(each.delete(key)).toBe(model.has(key));
            else if (!model.has(key)) each.set(key, true, now);
          }
          if (deletes === 0) model.delete(key);
          else if (!model.has(key)) {
            if (model.size === entriesMax) {
              model.delete(model.keys().next().value as Key);
              evicted++;
            }
            model.set(key, now);
          }
          expect(evictedBefore + cell.evicted).toBe(evicted);
          if (!cut && !always) continue;
          take(cell, stored);
          take(live, storedLive);
          evictedBefore += cell.evicted;
          cell = restored(spec, stored);
        }
        for (const each of [cell, live]) expect([...each.keys()]).toEqual([...model.keys()]);
        for (const key of keys) expect(cell.get(key)).toBe(model.has(key) || undefined);
        take(cell, stored);
        take(live, storedLive);
        expect(inOrder(stored)).toEqual(inOrder(storedLive));
      }),
      { numRuns: 1_000 },
    );
  });

  it('agrees with a map of true for times in any order, over slices and after a change of the ttl', () => {
    const op = fc.record({ key: fc.nat(14), time: fc.nat(2_000), step: fc.nat(90), cut: fc.boolean() });
    fc.assert(
      fc.property(fc.array(op, { maxLength: 80 }), fc.constantFrom(TTL, 500), (ops, laterTtl) => {
        const bounds = (ttl: number) => ({ ttl: millis(ttl), entriesMax: 9 });
        let map = mapCell<Key, true>(bounds(TTL)).open();
        let cell = setCell<Key>(bounds(TTL)).open();
        const [stored, storedMap]: [Stored, Stored] = [new Map(), new Map()];
        let now = 0;
        for (const { key, time, step, cut } of ops) {
          now += step;
          const before = [cell.evicted, map.evicted];
          for (const each of [cell, map]) {
            each.expire(now);
            each.set(key, true, time);
          }
          expect([...cell.keys()]).toEqual([...map.keys()]);
          expect(cell.evicted - (before[0] as number)).toBe(map.evicted - (before[1] as number));
          if (!cut) continue;
          take(cell, stored);
          take(map, storedMap);
          cell = restored(setCell<Key>(bounds(laterTtl)), stored);
          map = mapCell<Key, true>(bounds(laterTtl)).open();
          for (const [bucket, bytes] of storedMap) map.restore(bucket, bytes, 1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('grows to many keys, frees ended slices a part at a time, and reads a part of them a turn', () => {
    const spec = setCell<Key>({ ttl: hours(24), entriesMax: 100_000 });
    const cell = spec.open();
    const stored: Stored = new Map();
    const hour = hours(1);
    const keyOf = (i: number): Key => (i % 2 === 0 ? i : `${uuid.slice(0, 28)}${i.toString(16).padStart(8, '0')}`);
    for (let i = 0; i < 60_000; i++) cell.set(keyOf(i), true, Math.floor(i / 30_000) * hour + (i % 30_000));
    take(cell, stored);
    expect(cell.size).toBe(60_000);
    const bytes = [...stored.values()].reduce((sum, { length }) => sum + length, 0);
    expect(bytes / 60_000).toBeLessThan((4 + 5 + 4 + 17) / 2 + 0.1);
    const again = restored(spec, stored);
    let turns = 1;
    while (again.catchUp?.()) turns++;
    expect(turns).toBe(Math.ceil(stored.size / 64));
    for (const each of [cell, again]) {
      each.expire(25 * hour + 10_000); // the first slice is over, and a third of the second is expired
      expect(each.size).toBeGreaterThan(59_000);
      for (let i = 0; i < 60_000; i += 7) expect(each.has(keyOf(i))).toBe(i > 40_000);
      for (let i = 0; i < 200; i++) each.expire(25 * hour + 10_000);
      expect([each.size, each.expired, each.evicted]).toEqual([30_000, 30_000, 0]);
    }
    const other = new Map(stored);
    take(cell, stored);
    take(again, other);
    expect(inOrder(other)).toEqual(inOrder(stored));
  });

  it('counts as evicted only what had not expired', () => {
    const cell = setCell<Key>({ ttl: millis(240), entriesMax: 2 }).open();
    cell.set(1, true, 3);
    cell.set(2, true, 4);
    cell.expire(243); // the first is expired; its slice, up to 10, is not over
    cell.set(3, true, 243);
    expect([cell.expired, cell.evicted]).toEqual([1, 0]);
    cell.set(4, true, 243);
    expect([cell.expired, cell.evicted]).toEqual([1, 1]);
  });

  it('keeps a key that was written between two milliseconds no shorter than the ttl', () => {
    const cell = setCell<Key>({ ttl: millis(10), entriesMax: 2 }).open();
    cell.set('a', true, 5.25);
    cell.expire(15.5);
    expect(cell.has('a')).toBe(true);
    cell.expire(16);
    expect(cell.has('a')).toBe(false);
  });

  it('writes only the newest segment for new keys', () => {
    const cell = setCell<Key>({ ttl: hours(24), entriesMax: 10_000 }).open();
    for (let i = 0; i < 5_000; i++) cell.set(i, true, i);
    expect(cell.takeChanges().length).toBe(Math.ceil((5_000 * 9) / 4_100));
    for (let i = 5_000; i < 5_010; i++) cell.set(i, true, i);
    expect(cell.takeChanges().map(({ bytes }) => (bytes?.length ?? 0) < 4_200)).toEqual([true]);
  });

  it('refuses impossible limits, a write without a time, damaged bytes, and those of a map or of another version', () => {
    const config = expect.objectContaining({ code: 'config' });
    expect(() => setCell({ ttl: millis(0), entriesMax: 1 })).toThrow(config);
    expect(() => setCell({ ttl: millis(1), entriesMax: 0 })).toThrow(config);
    const spec = setCell<Key>({ ttl: hours(1), entriesMax: 10 });
    const cell = spec.open();
    expect(() => cell.set('a', true)).toThrow(/event time/);
    cell.set('a', true, 1);
    cell.set(2 ** 40, true, 1);
    const stored: Stored = new Map();
    take(cell, stored);
    const state = expect.objectContaining({ code: 'state' });
    for (const length of [5, 20, 26, 30]) {
      const cut = new Map([...stored].map(([bucket, bytes]) => [bucket, bytes.slice(0, length)]));
      expect(() => restored(spec, cut).size, `${length} bytes`).toThrow(state);
    }
    expect(() => spec.open().restore(1, stored.get(1) as Uint8Array, 2)).toThrow(state);
    const map = mapCell<Key, true>({ ttl: hours(1) }).open();
    map.set('a', true, 1);
    const ofMap: Stored = new Map();
    take(map, ofMap);
    expect(() => restored(spec, ofMap)).toThrow(/another kind of cell/);
    expect(spec.tags).not.toContain(ofMap.get(1)?.[0]);
  });
});
