import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cell, type CellSpec, hours, millis } from '../../src/core/index.js';
import { encode, tags } from '../../src/state/codec.js';
import {
  arenaCell,
  float64Cell,
  mapCell,
  type Packing,
  packedMapCell,
  ringCell,
  setCell,
  valueCell,
} from '../../src/state/index.js';

/** What a ledger keeps of one cell: the newest bytes of each bucket. Bytes are copied in and wiped at the giver's. */
class Ledger {
  readonly buckets = new Map<number, Uint8Array>();

  take(cell: Cell): number {
    const changes = cell.takeChanges();
    for (const { bucket, bytes } of changes) {
      if (bytes === null) this.buckets.delete(bucket);
      else {
        this.buckets.set(bucket, bytes.slice());
        bytes.fill(0xff); // the caller owns the bytes: a cell that still looks at them breaks here
      }
    }
    return changes.length;
  }

  restore<C extends Cell>(spec: CellSpec<C>, order: (buckets: number[]) => number[] = (b) => b): C {
    const cell = spec.open();
    for (const bucket of order([...this.buckets.keys()]))
      cell.restore(bucket, amid(this.buckets.get(bucket) as Uint8Array), spec.version);
    return cell;
  }
}

/** Bytes in the middle of a larger buffer, at an odd place: how they come out of a log. */
function amid(bytes: Uint8Array): Uint8Array {
  const larger = new Uint8Array(bytes.length + 11).fill(0xee);
  larger.set(bytes, 3);
  return larger.subarray(3, 3 + bytes.length);
}

/**
 * Runs the operations on a cell that lives through and on one that is written out and restored at the places
 * chosen; both must answer every operation alike, and leave the same state behind.
 */
function survives<C extends Cell, Op>(
  spec: CellSpec<C>,
  ops: readonly Op[],
  cuts: readonly boolean[],
  apply: (cell: C, op: Op) => unknown,
  look: (cell: C) => unknown,
) {
  const live = spec.open();
  const ledger = new Ledger();
  let restored = spec.open();
  ops.forEach((op, i) => {
    expect(apply(restored, op)).toEqual(apply(live, op));
    if (!cuts[i % cuts.length]) return;
    ledger.take(restored);
    if (i % 3 === 0) live.takeChanges(); // whether the live one is written out must not matter
    expect(restored.takeChanges()).toEqual([]);
    restored = ledger.restore(spec, (buckets) => buckets.reverse());
    if (i % 2 === 0) expect(look(restored)).toEqual(look(live));
  });
  expect(look(restored)).toEqual(look(live));
  ledger.take(restored);
  expect(look(ledger.restore(spec))).toEqual(look(live));
}

const cutsOf = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 });
/** Strings of all code units, halves of surrogate pairs among them, short and long. */
const halves = fc.string({
  unit: fc.constantFrom('a', 'é', '☃', '\ud83d', '\ude00', '\ufffd'),
  minLength: 1,
  maxLength: 90,
});
const keys = fc.oneof(
  fc.integer({ min: 0, max: 12 }),
  fc.constantFrom('1', '2', 'é', '', 'ATL', '\ud83d', '__proto__'),
  fc.constantFrom(0.5, -1e300, 2 ** 40),
);

/** Any JSON but for the sign of -0, which the codec says it does not keep. */
const json = fc
  .oneof(
    { weight: 3, arbitrary: fc.jsonValue() },
    { weight: 1, arbitrary: fc.jsonValue({ stringUnit: fc.constantFrom('a', '\ud83d', '\ude00') }) },
    { weight: 1, arbitrary: halves },
    { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('__proto__', '__proto_', 'a', '\udc00'), fc.jsonValue()) },
  )
  .map((value) => JSON.stringify(value))
  .map((text): unknown => JSON.parse(text));
const times = fc.integer({ min: 0, max: 3_000 });
const mapOps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('set' as const),
        key: keys,
        value: fc.oneof(fc.constant(true), json),
        time: times,
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('get' as const), key: keys }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), key: keys }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const), time: times }) },
  ),
  { maxLength: 80 },
);

const lengthOf = (value: unknown): number => JSON.stringify(value).length;
/** Values whose numbers follow from their rests: numbers of another value are noticed. */
const packing: Packing<unknown> = {
  width: 2,
  pack(value, into, at) {
    into[at] = lengthOf(value);
    into[at + 1] = -lengthOf(value);
    return value;
  },
  unpack(from, at, rest) {
    if (from[at] !== lengthOf(rest) || from[at + 1] !== -lengthOf(rest)) throw new Error('numbers of another value');
    return rest;
  },
};

describe('every cell', () => {
  it('a map without bounds behaves alike after any restore', () => {
    const spec = mapCell<string | number, unknown>();
    fc.assert(
      fc.property(mapOps, cutsOf, (ops, cuts) =>
        survives(
          spec,
          ops,
          cuts,
          (cell, op) =>
            op.do === 'set'
              ? cell.set(op.key, op.value)
              : op.do === 'expire'
                ? cell.expire(op.time)
                : op.do === 'get'
                  ? [cell.get(op.key), cell.has(op.key)]
                  : cell.delete(op.key),
          (cell) => [cell.size, new Map([...cell.keys()].map((key) => [key, cell.get(key)]))],
        ),
      ),
    );
  });

  it.each([
    ['with a ttl', mapCell<string | number, unknown>({ ttl: millis(240) })],
    ['with entriesMax', mapCell<string | number, unknown>({ entriesMax: 5 })],
    ['with both', mapCell<string | number, unknown>({ ttl: millis(480), entriesMax: 7 })],
    ['of packed values', packedMapCell<string | number, unknown>({ ttl: millis(480), entriesMax: 7, packing })],
    ['of keys alone', setCell<string | number>({ ttl: millis(480), entriesMax: 7 })],
  ])('a map %s behaves alike after any restore', (_, spec) => {
    fc.assert(
      fc.property(mapOps, cutsOf, (ops, cuts) => {
        survives(
          spec,
          ops,
          cuts,
          (cell, op) => {
            if (op.do === 'get') return [cell.get(op.key), cell.has(op.key)];
            if (op.do === 'delete') return cell.delete(op.key);
            if (op.do === 'expire') {
              const before = cell.expired;
              cell.expire(op.time);
              return cell.expired - before;
            }
            const before = [cell.evicted, cell.expired];
            cell.set(op.key, op.value, op.time);
            return [cell.evicted - (before[0] as number), cell.expired - (before[1] as number)];
          },
          (cell) => [cell.size, [...cell.keys()].map((key) => [key, cell.get(key)])],
        );
      }),
    );
  });

  it('a ring leaves the same bytes behind wherever its changes were taken', () => {
    const spec = ringCell<number>({ length: 150 });
    const bytesOf = (pushes: number, cuts: readonly number[]) => {
      const ledger = new Ledger();
      const ring = spec.open();
      for (let i = 0; i < pushes; i++) {
        ring.push(i);
        if (cuts.includes(i)) ledger.take(ring);
      }
      ledger.take(ring);
      return new Map([...ledger.buckets].sort(([a], [b]) => a - b));
    };
    fc.assert(
      fc.property(fc.nat(500), fc.array(fc.nat(500), { maxLength: 9 }), (pushes, cuts) => {
        expect(bytesOf(pushes, cuts)).toEqual(bytesOf(pushes, []));
      }),
      { numRuns: 60 },
    );
  });

  it('a value, a ring and an array behave alike after any restore', () => {
    const value = valueCell<unknown>({ initial: { n: 0 } });
    fc.assert(
      fc.property(fc.array(json, { maxLength: 20 }), cutsOf, (ops, cuts) =>
        survives(
          value,
          ops,
          cuts,
          (cell, op) => {
            const old = cell.get();
            cell.set(op);
            return old;
          },
          (cell) => cell.get(),
        ),
      ),
    );
    const ring = ringCell<number>({ length: 150 });
    const copyOf = (cell: ReturnType<typeof ring.open>) => {
      const copy: number[] = [];
      cell.copyTo(copy);
      return copy.sort();
    };
    const look = (cell: ReturnType<typeof ring.open>) => {
      const values = Array.from({ length: cell.size }, (_, i) => cell.at(i) as number);
      expect(copyOf(cell)).toEqual([...values].sort());
      return [cell.size, cell.at(-1), ...values, cell.at(cell.size)];
    };
    fc.assert(
      fc.property(fc.array(fc.double(), { maxLength: 400, size: 'max' }), cutsOf, (ops, cuts) =>
        survives(ring, ops, cuts, (cell, op) => cell.push(op + 1), look),
      ),
      { numRuns: 30 },
    );
    const array = float64Cell({ size: 70, block: 16 });
    const write = fc.record({ at: fc.nat(69), value: fc.oneof(fc.double(), fc.constant(-0)) });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 60 }), cutsOf, (ops, cuts) =>
        survives(
          array,
          ops,
          cuts,
          (cell, op) => {
            cell.values[op.at] = op.value;
            cell.touch(op.at);
          },
          (cell) => [...cell.values],
        ),
      ),
    );
  });

  it('an arena allocates, frees and keeps its records alike after any restore', () => {
    const op = fc.record({ frees: fc.boolean(), pick: fc.nat(30), value: fc.double() });
    for (const arena of [
      arenaCell({ width: 100, recordsMax: 5 }),
      arenaCell({ width: 300, recordsMax: 9 }),
      arenaCell({ width: 3, recordsMax: 200 }),
    ]) {
      const placesOf = (cell: ReturnType<typeof arena.open>) => {
        const places: number[] = [];
        for (let at = cell.next(0); at >= 0; at = cell.next(at + 1)) places.push(at);
        expect(places.length).toBe(cell.used);
        return places;
      };
      fc.assert(
        fc.property(fc.array(op, { maxLength: 80 }), cutsOf, (ops, cuts) =>
          survives(
            arena,
            ops,
            cuts,
            (cell, { frees, pick, value }) => {
              const places = placesOf(cell);
              if (frees && places.length > 0) cell.free(places[pick % places.length] as number);
              else if (cell.isFull) expect(() => cell.allocate()).toThrow('records at most');
              else {
                const at = cell.allocate();
                expect(cell.values.slice(at, at + cell.width).every((n) => n === 0)).toBe(true);
                cell.values.fill(value, at + 1, at + cell.width);
                cell.touch(at + cell.width - 1);
                return at;
              }
              return cell.used;
            },
            (cell) => placesOf(cell).map((at) => [at, ...cell.values.slice(at, at + cell.width)]),
          ),
        ),
        { numRuns: 30 },
      );
    }
  });

  it('an arena writes the records in use only, and drops a block that has none', () => {
    const cell = arenaCell({ width: 1_000, recordsMax: 10 }).open();
    const [first, , third] = [cell.allocate(), cell.allocate(), cell.allocate()];
    cell.values.fill(0.1);
    const head = 1 + 4 + 2;
    expect(cell.changedBytes).toBe(2 * (head + 16_500)); // as if both blocks were full
    expect(cell.takeChanges().map(({ bytes }) => bytes?.length)).toEqual([head + 16_500, head + 8_250]);
    cell.free(third);
    cell.free(first);
    expect(cell.takeChanges().map(({ bytes }) => bytes?.length)).toEqual([head + 8_250, undefined]);
    expect([cell.allocate(), cell.allocate(), cell.used]).toEqual([first, third, 3]);
    cell.takeChanges();
    expect(cell.changedBytes).toBe(0);
    const small = arenaCell({ width: 100, recordsMax: 5 }).open();
    small.allocate();
    expect(small.changedBytes).toBe(1 + 4 + 20 + 2 * 825); // of the two that there is room for
    expect(small.takeChanges().map(({ bytes }) => bytes?.length)).toEqual([1 + 4 + 20 + 25]); // zeros
  });

  it('an arena takes back every record between freed ones', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (frees) => {
        const spec = arenaCell({ width: 3, recordsMax: 60 });
        const [cell, again] = [spec.open(), spec.open()];
        const places = frees.map(() => cell.allocate());
        for (const [n, at] of places.entries()) cell.values.fill(n + 1, at, at + 3);
        const kept = places.filter((at, n) => {
          if (frees[n]) cell.free(at);
          return !frees[n];
        });
        for (const { bucket, bytes } of cell.takeChanges()) if (bytes) again.restore(bucket, amid(bytes), 1);
        expect(again.used).toBe(kept.length);
        for (const at of kept) expect(again.values.slice(at, at + 3)).toEqual(cell.values.slice(at, at + 3));
      }),
    );
  });

  it('an arena takes back what fits it, to the last record', () => {
    const spec = (width: number, recordsMax: number) => arenaCell({ width, recordsMax });
    const cell = spec(500, 6).open();
    for (let n = 0; n < 6; n++) cell.values.fill(n, cell.allocate());
    cell.free(0);
    const changes = cell.takeChanges().map(({ bucket, bytes }) => ({ bucket, bytes: bytes as Uint8Array }));
    const restored = (width: number, recordsMax: number, cut = 0) => {
      const again = spec(width, recordsMax).open();
      for (const { bucket, bytes } of changes) again.restore(bucket, amid(bytes.subarray(0, bytes.length - cut)), 1);
      return again;
    };
    expect(restored(500, 6).used).toBe(5);
    for (const [width, recordsMax, cut] of [
      [500, 5, 0],
      [499, 6, 0],
      [500, 6, 8],
    ] as const)
      expect(() => restored(width, recordsMax, cut)).toThrow(expect.objectContaining({ code: 'state' }));
  });
});

describe('the bounds of a cell', () => {
  it('are positive', () => {
    for (const bound of [0, -1, Number.NaN]) {
      expect(() => ringCell({ length: bound })).toThrow(`a ring cannot have length ${bound}`);
      expect(() => mapCell({ entriesMax: bound })).toThrow('cannot have ttl undefined and entriesMax');
      expect(() => mapCell({ ttl: millis(bound) })).toThrow(`a map cell cannot have ttl ${bound}`);
    }
    expect(() => ringCell({ length: 1.5 })).toThrow('a ring cannot have length 1.5');
    ringCell({ length: 1 });
    mapCell({ ttl: millis(1), entriesMax: 1 });
  });

  it('of a ring are those of its checkpoint', () => {
    const ring = ringCell<number>({ length: 3 }).open();
    ring.push(1);
    const bytes = ring.takeChanges()[0]?.bytes as Uint8Array;
    ringCell<number>({ length: 3 }).open().restore(0, bytes, 1);
    const longer = ringCell<number>({ length: 4 }).open();
    expect(() => longer.restore(0, bytes, 1)).toThrow(expect.objectContaining({ code: 'state' }));
  });
});

describe('a value in a checkpoint', () => {
  it.each<[string, unknown]>([
    ['a field __proto__', JSON.parse('{"__proto__":{"x":1},"a":[{"__proto__":2}]}')],
    ['half a surrogate pair', ['\ud83d', '\ude00', `${'a'.repeat(100)}\ud83d`]],
    ['half a surrogate pair in a name', { '\udc00': 1, b: { '\ud800': 2 } }],
    ['half a surrogate pair in a map and a set', [new Map([['\udc00', '\ud800']]), new Set(['\udc00'])]],
    ['a date and numbers beside them', { d: new Date(5), f: Float64Array.of(1.5), big: 2n ** 70n, t: '\udc00' }],
    ['what takes the place of such strings', ['\ufffd', '__proto_', '__proto__', { __proto_: 1 }]],
  ])('keeps %s', (_, value) => {
    const spec = valueCell<unknown>({ initial: null });
    const ledger = new Ledger();
    const cell = spec.open();
    cell.set(value);
    ledger.take(cell);
    for (let i = 0; i < 2; i++) expect(ledger.restore(spec).get()).toStrictEqual(value);
    expect(Object.getPrototypeOf(ledger.restore(spec).get())).toBe(Object.getPrototypeOf(value));
  });

  it('begins with a byte that no other kind of cell has', () => {
    const numbers = Object.values(tags);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('has the bytes that checkpoints of before have', () => {
    const hex = (value: unknown) => Buffer.from(encode(tags.value, value)).toString('hex');
    expect([hex('\udc00'), hex(JSON.parse('{"__proto__":1}'))]).toEqual([
      '01d50100dc',
      '01d402009192a95f5f70726f746f5f5f01',
    ]);
  });
});

describe('the map with bounds', () => {
  it('agrees with a plain model of its contract', () => {
    const spec = mapCell<number, number>({ ttl: millis(240), entriesMax: 6 });
    const op = fc.record({ key: fc.nat(9), step: fc.nat(60) });
    fc.assert(
      fc.property(fc.array(op, { maxLength: 100 }), (ops) => {
        const cell = spec.open();
        let now = 0;
        const model = new Map<number, { time: number; value: number }>(); // insertion order = order of writes
        ops.forEach(({ key, step }, i) => {
          now += step;
          cell.expire(now);
          for (const [k, { time }] of model) if (Math.floor(time / 10) * 10 + 10 + 240 <= now) model.delete(k);
          const kept = model.get(key);
          expect(cell.get(key)).toBe(kept && kept.time + 240 > now ? kept.value : undefined);
          // In the newest slice a rewritten entry keeps its place, otherwise it becomes the newest.
          if (kept && Math.floor(kept.time / 10) !== Math.floor(now / 10)) model.delete(key);
          if (!model.has(key) && model.size >= 6) model.delete(model.keys().next().value as number);
          model.set(key, { time: now, value: i });
          cell.set(key, i, now);
        });
        expect([...cell.keys()]).toEqual([...model].filter(([, { time }]) => time + 240 > now).map(([k]) => k));
      }),
    );
  });

  it('counts what it pushes out as evicted only where it had not expired', () => {
    const cell = mapCell<number, true>({ ttl: millis(240), entriesMax: 2 }).open();
    cell.set(1, true, 3);
    cell.set(2, true, 4);
    cell.expire(243); // the first is expired; its slice, up to 10, is not over
    cell.set(3, true, 243);
    expect([cell.expired, cell.evicted]).toEqual([1, 0]);
    cell.set(4, true, 243);
    expect([cell.expired, cell.evicted]).toEqual([1, 1]);
    cell.expire(1_000);
    expect([cell.expired, cell.evicted, cell.size]).toEqual([3, 1, 0]);
  });

  it('writes only the newest segment for new keys and drops old slices whole', () => {
    const cell = mapCell<number, true>({ ttl: hours(24) }).open();
    const ledger = new Ledger();
    const hour = 3_600_000;
    for (let h = 0; h < 30; h++) for (let i = 0; i < 1_000; i++) cell.set(h * 1_000 + i, true, h * hour);
    ledger.take(cell);
    expect(ledger.buckets.size).toBe(30 * 4);
    for (let i = 0; i < 10; i++) cell.set(100_000 + i, true, 30 * hour);
    expect(ledger.take(cell)).toBe(1);
    const before = ledger.buckets.size;
    cell.expire(30 * hour);
    expect(cell.expired).toBe(6_000); // those written in hours 0 to 5: the slice of hour 6 ends at the 7th
    expect(cell.has(5_999)).toBe(false);
    expect(cell.has(6_000)).toBe(false); // expired to the millisecond, though its slice is still in memory
    expect(cell.has(7_000)).toBe(true);
    ledger.take(cell);
    expect(ledger.buckets.size).toBe(before - 24 + 1); // 6 slices of 4 segments gone; the time told is one bucket
  });

  it('stores entries alike in segments that served before, whatever was stored of those', () => {
    const hour = 3_600_000;
    for (const isStored of [true, false]) {
      const spec = mapCell<number, number>({ ttl: hours(24) });
      const cell = spec.open();
      const ledger = new Ledger();
      for (let h = 0; h < 100; h++) {
        for (let i = 0; i < 300; i++) cell.set(300 * h + i, h, h * hour);
        cell.expire(h * hour);
        if (isStored || h === 99) ledger.take(cell);
      }
      const restored = ledger.restore(spec);
      expect(restored.size).toBe(cell.size);
      expect(cell.size).toBeLessThan(26 * 300);
      for (const key of cell.keys()) expect(restored.get(key)).toBe(Math.floor(key / 300));
    }
  });

  it('fills segments alike after a restore, those with holes too', () => {
    const spec = mapCell<number, true>({ entriesMax: 10_000 });
    const live = spec.open();
    for (let key = 0; key < 256; key++) live.set(key, true);
    for (let key = 10; key < 20; key++) live.delete(key);
    const ledger = new Ledger();
    ledger.take(live);
    const restored = ledger.restore(spec);
    for (const cell of [live, restored]) {
      cell.set(1_000, true); // the first segment has taken its 256: a second one begins
      cell.set(0, true); // and takes what is written again
      expect([...cell.keys()].slice(-2)).toEqual([1_000, 0]);
    }
  });

  it('reads packed values only from what was packed alike', () => {
    const ttl = hours(1);
    const plain = mapCell<string, unknown>({ ttl });
    const packed = packedMapCell<string, unknown>({ ttl, packing });
    const wider = packedMapCell<string, unknown>({ ttl, packing: { ...packing, width: 3 } });
    const stored = (spec: typeof plain) => {
      const cell = spec.open();
      cell.set('a', 'kept', 1);
      const ledger = new Ledger();
      ledger.take(cell);
      return ledger;
    };
    expect(stored(packed).restore(packed).get('a')).toBe('kept');
    for (const [written, read] of [
      [plain, packed],
      [packed, plain],
      [packed, wider],
    ] as const)
      expect(() => stored(written).restore(read).get('a')).toThrow(/cannot be read/);
  });

  it('costs few bytes as a set', () => {
    const cell = mapCell<number, true>({ entriesMax: 10_000 }).open();
    for (let i = 0; i < 10_000; i++) cell.set(i, true);
    const bytes = cell.takeChanges().reduce((sum, change) => sum + (change.bytes?.length ?? 0), 0);
    expect(bytes).toBeLessThan(10_000 * 4);
  });

  it('refuses a write without a time where it has a ttl', () => {
    expect(() =>
      mapCell<string, true>({ ttl: hours(1) })
        .open()
        .set('a', true),
    ).toThrow(/event time/);
    expect(() =>
      mapCell<string, true>({ ttl: hours(1) })
        .open()
        .set('a', true, Number.NaN),
    ).toThrow(/event time/);
  });
});
