import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hours } from '../../src/core/index.js';
import { type Expectations, expectations } from '../../src/operators/expectations.js';
import { validate } from '../../src/operators/validate.js';
import { checkOperator, type DrivenInput, driveOperator } from '../../src/testing/operator-contract.js';

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

describe('validate', () => {
  it('keeps the operator contract', () => {
    const all = rules()
      .notNull('origin')
      .range('distance', 1, 12_000, 'warn')
      .oneOf('to', ['BOS', 'ATL'])
      .that('no loop', (f) => f.to !== f.origin)
      .fresh((f) => f.at, hours(12));
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
    checkOperator(validate(all), samples, { stateBytesMax: 200 });
    checkOperator(validate(rules().notNull('origin')), samples, { stateBytesMax: 0 });
    checkOperator(validate(rules().notNull(['origin'], 'stop')), samples);
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
    expect(counters).toEqual({ warned: 2, invalid: 1 });
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
      flight({ origin: 'x'.repeat(5_000) }),
      flight({ origin: { a: 1n } as never }),
    ]);
    expect(deadLetters[0]?.detail.length).toBeLessThan(150);
    expect(deadLetters[1]?.detail).toBe('origin is an object, none of the 1 allowed values');
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
  });

  it('expectations are values: a longer list leaves the shorter one alone', () => {
    const one = rules().notNull('origin');
    one.range('distance', 0, 0);
    expect(one.rules).toHaveLength(1);
    expect(Object.isFrozen(one) && Object.isFrozen(one.rules) && Object.isFrozen(one.rules[0])).toBe(true);
  });
});
