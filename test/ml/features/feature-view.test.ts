import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cell, type CellSpecs, days, hours } from '../../../src/core/index.js';
import { cyclic, featureView, hashed, numeric, oneHot, rolling } from '../../../src/ml/features/index.js';

interface Trip {
  readonly id: number;
  readonly from: string | null;
  readonly hour: number;
}
interface End {
  readonly id: number;
  readonly delay: number;
}

const columns = { from: (trip: Trip) => trip.from, hour: (trip: Trip) => trip.hour };
const plain = (options: { version?: number; hashBits?: number } = {}) =>
  featureView({
    name: 'trips',
    version: 1,
    ...options,
    columns,
    features: {
      hour: cyclic('hour', 24),
      late: numeric('hour', { scale: 24 }),
      place: oneHot('from', ['A', 'B']),
      fromIs: hashed('from'),
      fromAtHour: hashed('from', 'hour'),
    },
  });

describe('a view of rows alone', () => {
  it('lays its features out in the order declared', () => {
    const view = plain();
    expect(view.shape).toMatchObject({ denseSize: 5, hashedSize: 2 ** 18 });
    expect(view.denseNames).toEqual(['hour.0', 'hour.1', 'late', 'place.0', 'place.1']);
    expect(view.hashedNames).toEqual(['fromIs', 'fromAtHour']);
    expect(view.outcome).toBeUndefined();
  });

  it('makes a vector of a row', () => {
    const { dense, indices, values, view, hash } = plain().open().vector({ id: 1, from: 'B', hour: 6 });
    expect(Array.from(dense, (x) => Number(x.toFixed(6)))).toEqual([1, 0, 0.25, 0, 1]);
    expect(values).toEqual(new Float32Array([1, 1]));
    expect(indices).toHaveLength(2);
    expect([view, hash]).toEqual(['trips', plain().hash]);
  });

  it('gives equal rows equal vectors and keeps all hashed coordinates inside', () => {
    const logic = plain({ hashBits: 5 }).open();
    const trip = fc.record({ id: fc.nat(), from: fc.option(fc.string()), hour: fc.integer() });
    fc.assert(
      fc.property(trip, (row) => {
        const vector = logic.vector(row);
        expect(logic.vector({ ...row, id: row.id + 1 })).toEqual(vector);
        expect(vector.indices.every((index) => index < 32)).toBe(true);
      }),
    );
  });

  it('gives every vector its own numbers, however many are made', () => {
    const logic = plain().open();
    const made = Array.from({ length: 1_000 }, (_, hour) => logic.vector({ id: 1, from: 'A', hour }));
    made.forEach(({ dense }, hour) => void expect(dense[2]).toBe(Math.fround(hour / 24)));
  });

  it('tells the same value in two features apart', () => {
    const view = featureView({ name: 'v', version: 1, columns, features: { a: hashed('from'), b: hashed('from') } });
    const [a, b] = view.open().vector({ id: 1, from: 'A', hour: 0 }).indices;
    expect(a).not.toBe(b);
  });

  it('has a hash that follows what vectors depend on, and nothing else', () => {
    const { hash } = plain();
    expect(plain().hash).toBe(hash);
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(plain({ version: 2 }).hash).not.toBe(hash);
    expect(plain({ hashBits: 10 }).hash).not.toBe(hash);
    const scaled = (scale: number) =>
      featureView({ name: 'v', version: 1, columns, features: { late: numeric('hour', { scale }) } }).hash;
    expect(scaled(1)).not.toBe(scaled(2));
  });

  it('is frozen', () => {
    const view = plain();
    expect(Object.isFrozen(view) && Object.isFrozen(view.shape)).toBe(true);
  });

  it('says what a feature lacks', () => {
    const typo = 'origin' as 'from';
    expect(() => featureView({ name: 'v', version: 1, columns, features: { x: hashed(typo) } })).toThrow(
      'feature x needs the column origin',
    );
    expect(() => plain({ hashBits: 0 })).toThrow('hashBits is 0');
  });
});

const outcome = {
  key: (trip: Trip) => trip.id,
  outcomeKey: (end: End) => end.id,
  values: { delay: (end: End) => end.delay },
  wait: hours(24),
  pendingMax: 3,
};
const tracking = () =>
  featureView({
    name: 'trips',
    version: 1,
    columns,
    outcome,
    features: {
      here: rolling({ by: 'from', value: 'delay', halfLife: hours(1), prior: 10, priorWeight: 1, center: 0 }),
      capped: rolling({ by: 'from', value: 'delay', halfLife: hours(1), clip: [0, 5], center: 0 }),
      overall: rolling({ value: 'delay', halfLife: hours(2), center: 0, scale: 2 }),
    },
  });

function openCells(specs: CellSpecs): Record<string, Cell> {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.open()]));
}

function openTracking() {
  const view = tracking();
  return view.open(openCells(view.cells));
}

const hour = 3_600_000;
const at = (h: number) => days(400) + h * hour;
const trip = (id: number, from: string | null = 'A'): Trip => ({ id, from, hour: 0 });

describe('rolling features', () => {
  it('are the prior while nothing has arrived', () => {
    const logic = openTracking();
    expect(Array.from(logic.track(trip(1), at(0)).dense)).toEqual([10, 0, 0]);
    expect(Array.from(logic.track(trip(2), at(0.5)).dense)).toEqual([10, 0, 0]);
  });

  it('take in an outcome when it arrives, in its row’s groups, and let it fade', () => {
    const logic = openTracking();
    logic.track(trip(1), at(0));
    expect(logic.observe({ id: 1, delay: 40 }, at(1))).toBe('counted');
    expect(Array.from(logic.vector(trip(9), at(1)).dense)).toEqual([(40 + 10) / 2, 2.5, 10]);
    const [here, capped, overall] = logic.vector(trip(9), at(2)).dense;
    expect(here).toBeCloseTo((20 + 10) / 1.5, 5);
    expect(capped).toBeCloseTo(2.5 / 1.5, 5);
    expect(overall).toBeCloseTo((40 * Math.SQRT1_2) / (1 + Math.SQRT1_2) / 2, 5);
    expect(logic.vector(trip(9, 'B'), at(2)).dense[0]).toBe(10);
    expect(logic.vector(trip(9, null), at(2)).dense[0]).toBe(10);
  });

  it('equal the decayed mean by its definition', () => {
    const step = fc.record({ gap: fc.integer({ min: 0, max: 5 * hour }), delay: fc.integer({ min: -50, max: 200 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.integer({ min: 0, max: 5 * hour }), (steps, last) => {
        const logic = openTracking();
        const seen: { timeMs: number; delay: number }[] = [];
        let now = at(0);
        steps.forEach(({ gap, delay }, id) => {
          logic.track(trip(id), now);
          now += gap;
          logic.observe({ id, delay }, now);
          seen.push({ timeMs: now, delay });
        });
        now += last;
        const weights = seen.map(({ timeMs }) => 2 ** ((timeMs - now) / hour));
        const sum = seen.reduce((total, { delay }, i) => total + delay * (weights[i] as number), 10);
        const weight = weights.reduce((total, w) => total + w, 1);
        expect(logic.vector(trip(99), now).dense[0]).toBeCloseTo(sum / weight, 3);
      }),
    );
  });

  it('do not count what nobody waits for, counts twice, or is no number', () => {
    const logic = openTracking();
    logic.track(trip(1), at(0));
    expect(logic.observe({ id: 7, delay: 1 }, at(1))).toBe('unmatched');
    for (const delay of [Number.NaN, 1e308, -1e308, 1.1e50])
      expect(logic.observe({ id: 1, delay }, at(1))).toBe('rejected');
    expect(logic.observe({ id: 1, delay: 1 }, at(1))).toBe('counted');
    expect(logic.observe({ id: 1, delay: 1 }, at(1))).toBe('unmatched');
  });

  it('come back from the greatest outcome', () => {
    const logic = openTracking();
    logic.track(trip(1), at(0));
    expect(logic.observe({ id: 1, delay: 1e50 }, at(0))).toBe('counted');
    logic.track(trip(2), at(200));
    logic.observe({ id: 2, delay: 20 }, at(200));
    expect(logic.vector(trip(99), at(200)).dense[0]).toBeCloseTo(15, 3); // (10 + 20) / 2
  });

  it('forget rows that wait too long or are too many', () => {
    const logic = openTracking();
    for (const id of [1, 2, 3, 4]) logic.track(trip(id), at(0));
    expect(logic.evicted()).toBe(1);
    expect(logic.observe({ id: 1, delay: 1 }, at(1))).toBe('unmatched');
    expect(logic.observe({ id: 4, delay: 1 }, at(1))).toBe('counted');
    logic.track(trip(5), at(30));
    expect(logic.expired()).toBe(2);
    expect(logic.observe({ id: 2, delay: 1 }, at(30))).toBe('unmatched');
  });

  it('do not count an outcome that comes after the wait, whatever came in between', () => {
    for (const between of [false, true]) {
      const logic = openTracking();
      logic.track(trip(1), at(0));
      if (between) logic.track(trip(2, 'B'), at(24));
      expect(logic.observe({ id: 1, delay: 40 }, at(24))).toBe('unmatched');
      expect(logic.vector(trip(9), at(24)).dense[0]).toBe(10);
    }
  });

  it('count rows that had waited too long as expired, not as evicted, and each once', () => {
    const logic = openTracking();
    for (const id of [1, 2, 3]) logic.track(trip(id), at(0.5));
    for (const id of [4, 5]) logic.track(trip(id), at(24.7)); // the slice of the first three is not over
    expect([logic.expired(), logic.evicted()]).toEqual([2, 0]);
    logic.observe({ id: 9, delay: 0 }, at(26));
    expect([logic.expired(), logic.evicted()]).toEqual([3, 0]);
  });

  it('look, but do not touch, in `vector`', () => {
    const view = tracking();
    const cells = openCells(view.cells);
    const logic = view.open(cells);
    logic.vector(trip(1), at(0));
    expect(Object.values(cells).flatMap((cell) => cell.takeChanges())).toEqual([]);
    expect(logic.observe({ id: 1, delay: 1 }, at(1))).toBe('unmatched');
  });

  it('refuse state of another layout by the versions of their cells', () => {
    const other = featureView({
      name: 'trips',
      version: 1,
      columns,
      outcome,
      features: { here: rolling({ by: 'from', value: 'delay', halfLife: hours(3) }) },
    });
    expect(other.cells['by-from']?.version).not.toBe(tracking().cells['by-from']?.version);
  });

  it('need outcomes, and outcomes need them', () => {
    expect(() => featureView({ name: 'v', version: 1, columns, outcome, features: { x: hashed('from') } })).toThrow(
      'the view has an outcome but no rolling feature',
    );
    const typo = 'dealy' as 'delay';
    expect(() =>
      featureView({
        name: 'v',
        version: 1,
        columns,
        outcome,
        features: { x: rolling({ value: typo, halfLife: hours(1) }) },
      }),
    ).toThrow('feature x needs the outcome value dealy');
    expect(() => rolling({ value: 'delay', halfLife: hours(0) })).toThrow('rolling: halfLife');
  });
});
