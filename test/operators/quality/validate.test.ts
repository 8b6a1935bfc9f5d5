import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hours, millis } from '../../../src/core/index.js';
import { type Expectations, expectations } from '../../../src/operators/quality/expectations.js';
import { validate } from '../../../src/operators/quality/validate.js';
import { checkOperator, type DrivenInput, driveOperator } from '../../../src/testing/operator-contract.js';

interface Flight {
  readonly origin: string | null;
  readonly to?: string | undefined;
  readonly distance: number | null;
  readonly at: number;
}
const hour = 3_600_000;
const good: Flight = { origin: 'ATL', to: 'BOS', distance: 900, at: 0 };
const flight = (change: Partial<Flight>): DrivenInput => ({
  value: { ...good, ...change },
  eventTimeMs: change.at ?? 0,
});
const reasons = (rules: Expectations<Flight, keyof Flight>, ...changes: Partial<Flight>[]) =>
  driveOperator(validate(rules), changes.map(flight)).deadLetters.map(
    ({ reason, origin }) => `${reason}@${origin.offset}`,
  );
const rules = () => expectations<Flight>();

describe('each rule', () => {
  it('notNull refuses null and what is not there', () => {
    expect(reasons(rules().notNull('origin', 'to'), {}, { origin: null }, { to: undefined }, { origin: '' })).toEqual([
      'null:origin@1',
      'null:to@2',
    ]);
  });

  it('range takes both ends, passes missing values and refuses NaN', () => {
    const range = rules().range('distance', 1, 12_000);
    const distances = [1, 12_000, null, 0.999, 12_001, Number.NaN, Number.POSITIVE_INFINITY, -0];
    expect(reasons(range, ...distances.map((distance) => ({ distance })))).toEqual(
      [3, 4, 5, 6, 7].map((i) => `range:distance@${i}`),
    );
    const { deadLetters } = driveOperator(validate(range), [
      flight({ distance: '900' as never }),
      flight({ distance: 0 }),
    ]);
    expect(deadLetters.map(({ detail }) => detail)).toEqual([
      'distance is "900", outside 1 to 12000',
      'distance is 0, outside 1 to 12000',
    ]);
  });

  it('oneOf compares by value and kind', () => {
    expect(reasons(rules().oneOf('origin', ['ATL', 'BOS']), {}, { origin: null }, { origin: 'atl' })).toEqual([
      'one-of:origin@2',
    ]);
  });

  it('matches tests the text anew each time, whatever the flags', () => {
    expect(reasons(rules().matches('origin', /^[A-Z]{3}$/gy), {}, {}, {}, { origin: null }, { origin: 'AT' })).toEqual([
      'matches:origin@4',
    ]);
  });

  it('that looks at the whole record', () => {
    const loop = rules().that('not a loop', (f) => f.origin !== f.to);
    expect(reasons(loop, {}, { to: 'ATL' })).toEqual(['that:not a loop@1']);
  });

  it('fresh measures age by the stream, not by the record itself', () => {
    const fresh = rules().fresh((f) => f.at, hours(12));
    const times = [0, 13 * hour, hour, hour - 1, 13 * hour + 1, 1 * hour];
    expect(reasons(fresh, ...times.map((at) => ({ at })))).toEqual(['stale@3', 'stale@5']);
    expect(
      driveOperator(validate(fresh), [flight({ at: 20 * hour }), flight({ at: 0 })]).deadLetters[0]?.detail,
    ).toMatch(/^72000000 ms old/);
  });

  it('one absurd time makes nothing stale', () => {
    const fresh = rules().fresh((f) => f.at, hours(12));
    expect(reasons(fresh, { at: 0 }, { at: 1 }, { at: 8.64e15 }, { at: 2 }, { at: 3 })).toEqual([]);
  });
});

describe('unique', () => {
  it('tells a number from its text in several fields, as in one', () => {
    const samples = [5, '5', 5, '5', true, 'true', '5 ', '"5"'];
    const within = { within: hours(1), keysMax: 100 };
    for (const names of ['a', ['a', 'b']] as const) {
      const operator = validate(expectations<{ a: unknown; b: number }>().unique(names as never, within));
      const records = samples.map((a, i) => ({ value: { a, b: 1 }, eventTimeMs: i }));
      expect(driveOperator(operator, records as never).emitted.length).toBe(names === 'a' ? 5 : 6);
    }
  });

  const within = { within: hours(1), keysMax: 100 };

  it('refuses what passed within the time, to the millisecond from the first one on', () => {
    const unique = rules().unique('origin', within);
    const times = [0, 1, hour - 1, hour, 2 * hour - 1];
    expect(reasons(unique, ...times.map((at) => ({ at })))).toEqual([1, 2, 4].map((i) => `unique:origin@${i}`));
    expect(reasons(unique, {}, { origin: 'BOS' }, { origin: null }, { origin: null }, { origin: 'BOS' })).toEqual([
      'unique:origin@4',
    ]);
  });

  it('agrees with a plain model, late records and several fields included', () => {
    const record = fc.record({
      origin: fc.constantFrom('ATL', 'BOS', null),
      distance: fc.constantFrom(1, 2),
      at: fc.nat(5 * hour),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), (records) => {
        const seen = new Map<string, number>();
        let now = 0;
        const expected = records.flatMap(({ origin, distance, at }, i) => {
          now = Math.max(now, at);
          if (origin === null) return [];
          const first = seen.get(`${origin} ${distance}`);
          if (first !== undefined && now - first < hour) return [`unique:origin+distance@${i}`];
          seen.set(`${origin} ${distance}`, now);
          return [];
        });
        expect(reasons(rules().unique(['origin', 'distance'], within), ...records)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('tells numbers from texts, and fields from each other', () => {
    const any = expectations<{ readonly a: unknown; readonly b?: unknown }>();
    const passed = (rules: Expectations<{ a: unknown; b?: unknown }>, ...values: { a: unknown; b?: unknown }[]) =>
      driveOperator(
        validate(rules),
        values.map((value) => ({ value })),
      ).emitted.length;
    expect(passed(any.unique('a', within), { a: 1 }, { a: '1' }, { a: 2n }, { a: 2n }, { a: [1] }, { a: [1] })).toBe(4);
    expect(passed(any.unique('a', within), { a: [2n] }, { a: [2n] }, { a: [3n] }, { a: [2] })).toBe(3);
    expect(passed(any.unique(['a', 'b'], within), { a: 'x,', b: 'y' }, { a: 'x', b: ',y' }, { a: 'x', b: ',y' })).toBe(
      2,
    );
  });

  it('does not remember a record that another rule refused: it may come again, corrected', () => {
    const both = rules().unique('origin', within).range('distance', 1, 1_000);
    expect(reasons(both, { distance: 5_000 }, { distance: 900 }, { distance: 900 })).toEqual([
      'range:distance@0',
      'unique:origin@2',
    ]);
  });

  it('forgets the oldest beyond keysMax', () => {
    const few = rules().unique('origin', { within: hours(1), keysMax: 1 });
    expect(reasons(few, { origin: 'A' }, { origin: 'B' }, { origin: 'A' }, { origin: 'A' })).toEqual([
      'unique:origin@3',
    ]);
  });
});

describe('references', () => {
  const known = (keysMax = 9) =>
    rules().references('origin', 'airports', { keysMax }).references('to', 'airports', { keysMax });
  const airport = (key: string, after: unknown = { city: key }) => ({ value: { key, before: null, after }, input: 1 });

  it('refuses what the table does not have by then', () => {
    const run = driveOperator(validate(known()), [
      flight({}),
      airport('ATL'),
      flight({}),
      airport('BOS'),
      flight({}),
      flight({ origin: null, to: undefined }),
      airport('ATL', null),
      flight({}),
    ]);
    expect(run.deadLetters.map(({ reason, detail, origin }) => `${reason}@${origin.offset}: ${detail}`)).toEqual([
      'references:origin@0: origin is "ATL", which airports does not have',
      'references:to@2: to is "BOS", which airports does not have',
      'references:origin@7: origin is "ATL", which airports does not have',
    ]);
    expect([run.emitted.length, run.counters]).toEqual([2, { invalid: 3 }]);
  });

  it('holds so many keys, and refuses the change that brings one more', () => {
    const { deadLetters } = driveOperator(validate(known(1)), [
      airport('ATL'),
      airport('ATL', 1),
      airport('BOS'),
      airport('ATL', null),
      airport('BOS'),
    ]);
    expect(deadLetters.map(({ reason, origin }) => `${reason}@${origin.offset}`)).toEqual(['table-full@2']);
  });

  it('keeps the operator contract', () =>
    checkOperator(
      validate(known(2)),
      [airport('ATL'), flight({}), airport('BOS'), airport('X'), flight({}), airport('BOS', null), flight({})],
      {
        stateBytesMax: 300,
      },
    ));

  it('says what is wrong with its bounds', () => {
    expect(known().references('to', 'cities', { keysMax: 0 }).rules[2]?.problems).toHaveLength(1);
    expect(validate(known()).problems).toEqual([]);
    expect(validate(known().references('to', 'airports', { keysMax: 3 })).problems).toHaveLength(1);
    expect(validate(known()).settings).toEqual({ rules: 'references:origin in airports, references:to in airports' });
  });
});

describe('usual', () => {
  it('refuses what lies outside of where values were', () => {
    const usual = rules().usual('distance', { iqr: 1.5, window: 11, warmUp: 11 });
    const ordered = [6, 7, 15, 36, 39, 40, 41, 42, 43, 47, 49]; // quartiles of 25.5 and 42.5
    const odd = [null, 69, 68, 0, -1, Number.NaN, Number.POSITIVE_INFINITY];
    const run = driveOperator(
      validate(usual),
      [...ordered, ...odd.slice(0, 2)].map((distance) => flight({ distance })),
    );
    expect(run.deadLetters.map(({ detail }) => detail)).toEqual([
      'distance is 69, outside 0 to 68 (iqr 1.5 of the last 11)',
    ]);
    for (const [distance, refused] of [
      [68, 0],
      [68.1, 1],
      [0, 0],
      [-0.1, 1],
      [Number.NaN, 1],
      [Number.POSITIVE_INFINITY, 1],
    ] as const)
      expect(reasons(usual, ...[...ordered, distance].map((distance) => ({ distance })))).toHaveLength(refused);
  });

  it('keeps its bounds whatever is beyond 1e50', () => {
    const usual = rules().usual('distance', { zScore: 3, warmUp: 8 });
    const distances = [1, 2, 3, 1e160, -1e308, ...Array.from({ length: 20 }, (_, i) => i % 5), 100];
    expect(reasons(usual, ...distances.map((distance) => ({ distance })))).toEqual(['usual:distance@25']);
  });

  it('follows a stream that has moved', () => {
    const usual = rules().usual('distance', { quantiles: [0, 1], window: 20, warmUp: 10 });
    const before = Array.from({ length: 30 }, (_, i) => i % 3);
    const after = [100, 100, 101, 102, 101];
    expect(reasons(usual, ...[...before, ...after].map((distance) => ({ distance })))).toEqual(
      [30, 32, 33].map((i) => `usual:distance@${i}`),
    );
  });
});

describe('validate', () => {
  it('keeps the operator contract', () => {
    const all = rules()
      .notNull('origin')
      .range('distance', 1, 12_000, 'warn')
      .oneOf('to', ['BOS', 'ATL'])
      .that('no loop', (f) => f.to !== f.origin)
      .fresh((f) => f.at, hours(12))
      .unique('at', { within: hours(12), keysMax: 4 })
      .usual('distance', { zScore: 3, warmUp: 2 });
    const samples = [
      {},
      { origin: null },
      { distance: -1 },
      { to: 'X' },
      { to: 'ATL' },
      { at: 40 * hour },
      { at: 0 },
      { at: 1e15 },
      { at: 39 * hour },
    ].map(flight);
    checkOperator(validate(all), samples, { stateBytesMax: 400 });
    checkOperator(validate(rules().notNull('origin')), samples, { stateBytesMax: 0 });
    checkOperator(validate(rules().notNull(['origin'], 'stop')), samples, { stops: true });
  });

  it('passes the very object on', () => {
    const input = flight({});
    expect(driveOperator(validate(rules().notNull('origin')), [input]).emitted[0]?.value).toBe(input.value);
  });

  it('reports the first broken rule only, after counting the warnings before it', () => {
    const many = rules().range('distance', 0, 1, 'warn').notNull('to').notNull('origin');
    const { emitted, deadLetters, counters } = driveOperator(validate(many), [
      flight({}),
      flight({ origin: null, to: undefined }),
    ]);
    expect(emitted).toHaveLength(1);
    expect(deadLetters.map(({ reason }) => reason)).toEqual(['null:to']);
    expect(counters).toEqual({ warned: 2, 'warned:range:distance': 2, invalid: 1 });
  });

  it('stops with the cause where a rule says so', () => {
    const run = driveOperator(validate(rules().notNull(['origin'], 'stop')), [
      flight({}),
      flight({ origin: null }),
      flight({}),
    ]);
    expect([run.failure, run.emitted.length, run.deadLetters.length]).toEqual(['null:origin: origin is null', 1, 0]);
  });

  it('never lets a broken record through, nor stops a sound one', () => {
    const record = fc.record({ origin: fc.option(fc.string()), distance: fc.option(fc.double()), at: fc.constant(0) });
    const both = rules().notNull('origin').range('distance', -5, 5);
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const { emitted, deadLetters } = driveOperator(
          validate(both),
          records.map((value) => ({ value })),
        );
        const sound = (f: { origin: string | null; distance: number | null }) =>
          f.origin !== null && (f.distance === null || (f.distance >= -5 && f.distance <= 5));
        expect(emitted.map(({ value }) => value)).toEqual(records.filter(sound));
        expect(deadLetters).toHaveLength(records.length - emitted.length);
      }),
    );
  });

  it('keeps long and odd values short in its details', () => {
    const short = rules().oneOf('origin', ['ATL']);
    const { deadLetters } = driveOperator(validate(short), [
      flight({ origin: 'x'.repeat(78) }),
      flight({ origin: 'x'.repeat(79) }),
      flight({ origin: { a: 1n } as never }),
      flight({ origin: 7 as never }),
    ]);
    const xs = 'x'.repeat(78);
    expect(deadLetters.map(({ detail }) => detail)).toEqual(
      [`"${xs}"`, `"${xs}x...`, 'an object', '7'].map((shown) => `origin is ${shown}, none of the 1 allowed values`),
    );
  });

  it('is described by its rules, and says what is wrong with them', () => {
    const operator = validate(
      rules()
        .notNull('origin')
        .range('distance', 1, 9, 'warn')
        .fresh((f) => f.at, hours(12)),
    );
    expect(operator.settings).toEqual({ rules: 'null:origin, range:distance[1, 9] (warn), stale over 12h' });
    expect(operator.problems).toEqual([]);
    expect(validate(rules()).problems).toHaveLength(1);
    expect(validate(rules().fresh((f) => f.at, hours(0))).problems).toHaveLength(1);
    const never = rules().range('distance', 5, 1).range('distance', Number.NaN, 1).oneOf('to', []);
    expect(validate(never).problems?.map(({ message }) => message)).toEqual([
      'range:distance: the range is 5 to 1',
      'range:distance: the range is NaN to 1',
      'one-of:to: no value is allowed',
    ]);
    expect(validate(rules().range('distance', 1, 1).oneOf('to', ['ATL'])).problems).toEqual([]);
    const bounds = { within: hours(2), keysMax: 9 };
    const remembering = rules().unique(['origin', 'to'], bounds).usual('distance', { hampel: 3 }, 'warn');
    expect(validate(remembering).settings.rules).toBe(
      'unique:origin+to within 2h, usual:distance hampel 3 of the last 31 (warn)',
    );
    expect(validate(remembering).problems).toEqual([]);
    expect(validate(remembering.unique(['origin', 'to'], bounds)).problems).toHaveLength(1);
    expect(validate(rules().unique('to', { within: hours(0), keysMax: 0 })).problems).toHaveLength(2);
    expect(validate(rules().unique('to', { within: millis(1), keysMax: 1 })).problems).toEqual([]);
    expect(validate(rules().usual('distance', { zScore: -1 })).problems).toHaveLength(1);
  });

  it('expectations are values: a longer list leaves the shorter one alone', () => {
    const one = rules().notNull('origin');
    one.range('distance', 0, 0);
    expect(one.rules).toHaveLength(1);
    expect(Object.isFrozen(one) && Object.isFrozen(one.rules) && Object.isFrozen(one.rules[0])).toBe(true);
  });
});
