import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { variance } from '../../../src/aggregates/index.js';
import { millis } from '../../../src/core/index.js';
import {
  type ValidateWindowsOptions,
  validateWindows,
  type WindowVerdict,
} from '../../../src/operators/quality/validate-windows.js';
import { type WindowExpectations, windowExpectations } from '../../../src/operators/quality/window-expectations.js';
import { hopping, tumbling } from '../../../src/operators/window/spec.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

interface Trip {
  readonly id: number;
  readonly station: string | null;
  readonly minutes: number | null;
}
const expected = windowExpectations<Trip>();
const trip = (eventTimeMs: number, id: number, station: string | null = 'a', minutes: number | null = 5) => ({
  value: { id, station, minutes },
  eventTimeMs,
});
const judging = (expect: WindowExpectations<Trip>, options: Partial<ValidateWindowsOptions<Trip>> = {}) =>
  validateWindows({ window: tumbling(millis(10)), expect, ...options });
const verdictsOf = (run: ReturnType<typeof driveOperator>) => run.emitted.map(({ value }) => value as WindowVerdict);
const short = (run: ReturnType<typeof driveOperator>) =>
  verdictsOf(run).map(({ startMs, expectation, success, observed }) => [startMs, expectation, success, observed]);

describe('validateWindows', () => {
  it('judges every kind of expectation', () => {
    const all = expected
      .volume(2, 3)
      .completeness('station', 0.6)
      .uniqueness('id', 1)
      .freshness(() => 7, millis(2))
      .mean('minutes', 4, 6)
      .quantile('minutes', 0.5, 4, 6)
      .that(
        'spread',
        variance((value: Trip) => value.minutes),
        0,
        1,
      );
    const run = driveOperator(judging(all), [trip(1, 1), trip(2, 1, null, 9), trip(3, 2), trip(4, 3, null, null)], {
      final: true,
    });
    expect(short(run)).toEqual([
      [0, 'volume', false, 4],
      [0, 'completeness:station', false, 0.5],
      [0, 'uniqueness:id', false, 0.75],
      [0, 'freshness', false, 3],
      [0, 'mean:minutes', false, 19 / 3],
      [0, 'p50:minutes', true, expect.closeTo(5, 1)],
      [0, 'that:spread', false, expect.closeTo(16 / 3, 9)],
    ]);
    expect(verdictsOf(run)[0]).toEqual({
      key: '',
      startMs: 0,
      endMs: 10,
      expectation: 'volume',
      severity: 'warn',
      success: false,
      observed: 4,
      min: 2,
      max: 3,
      records: 4,
    });
    expect(run.counters).toMatchObject({ judged: 1, broken: 6, 'broken:volume': 1, 'broken:freshness': 1 });
    const [verdict, observed] = run.measures;
    expect(verdict).toEqual({ name: 'verdict:volume', value: 0, eventTimeMs: 10, slice: '' });
    expect(observed).toEqual({ name: 'observed:volume', value: 4, eventTimeMs: 10, slice: '' });
    const held = run.measures.filter(({ name }) => name.startsWith('verdict:')).map(({ value }) => value);
    expect(held).toEqual([0, 0, 0, 0, 0, 1, 0]);
    expect(run.emitted.map(({ origin }) => origin.eventTimeMs)).toEqual(new Array(7).fill(9));
  });

  it('judges windows in which nothing came, between others and as far as the watermark is', () => {
    const gap = judging(expected.volume(1, Number.POSITIVE_INFINITY).completeness('station', 1));
    const run = driveOperator(gap, [trip(5, 1), trip(35, 2), trip(36, 3), trip(58, 4)], { disorderMs: 5, final: true });
    expect(short(run)).toEqual([
      [0, 'volume', true, 1],
      [0, 'completeness:station', true, 1],
      [10, 'volume', false, 0],
      [10, 'completeness:station', true, null],
      [20, 'volume', false, 0],
      [20, 'completeness:station', true, null],
      [30, 'volume', true, 2],
      [30, 'completeness:station', true, 1],
      [40, 'volume', false, 0],
      [40, 'completeness:station', true, null],
      [50, 'volume', true, 1],
      [50, 'completeness:station', true, 1],
    ]);
    expect(verdictsOf(run)[0]).toMatchObject({ min: 1, max: null });
  });

  it('passes over what is beyond a long gap, and counts it', () => {
    const run = driveOperator(judging(expected.volume(1, 9)), [trip(0, 1), trip(1_000_005, 1)]);
    expect(verdictsOf(run)).toHaveLength(1_001);
    expect(run.counters.passed_over).toBe(100_000 - 1 - 1_000);
    expect(verdictsOf(run).at(-1)?.endMs).toBe(1_000_000);
  });

  it('judges each key by itself where there is one', () => {
    const byStation = judging(expected.volume(2, 9), { key: ({ station }) => station, keysMax: 2 });
    const run = driveOperator(
      byStation,
      [trip(1, 1), trip(2, 1), trip(3, 1, 'b'), trip(4, 1, 'c'), trip(5, 1, null), trip(45, 2)],
      { final: true },
    );
    expect(verdictsOf(run).map(({ key, startMs, success }) => [key, startMs, success])).toEqual([
      ['a', 0, true],
      ['b', 0, false],
      ['a', 40, false],
    ]);
    expect(run.deadLetters.map(({ reason }) => reason)).toEqual(['too-many-keys', 'empty-key']);
  });

  it('stops the task where it is told to', () => {
    const strict = judging(expected.volume(0, 9).completeness('station', 1, 'stop'));
    const run = driveOperator(strict, [trip(1, 1, null), trip(20, 1)]);
    expect(run.failure).toBe(
      'the window from 0 to 10 is not as expected: completeness:station [1, ] or stop: it was 0',
    );
  });

  it('lets an estimate of distinct values miss its bound by three errors', () => {
    const window = tumbling(millis(1_000_000));
    const failed = (min: number, distinct: number, records: number, from = 0) => {
      const rows = Array.from({ length: records }, (_, i) => trip(i, 1e6 * from + (i % distinct)));
      const [verdict] = verdictsOf(
        driveOperator(judging(expected.uniqueness('id', min), { window }), rows, { final: true }),
      );
      return verdict?.success === false;
    };
    for (const distinct of [513, 600, 1_000, 5_000])
      for (let from = 0; from < 4; from++) expect(failed(1, distinct, distinct, from), `${distinct}`).toBe(false);
    expect(failed(1, 1_800, 2_000)).toBe(true);
    expect(failed(1, 399, 400)).toBe(true); // exact
    expect(failed(0.5, 398, 800)).toBe(true); // exact, of many records
  });

  it('keeps the operator contract', () => {
    const samples = fc.array(fc.record({ step: fc.nat(18), id: fc.nat(3), station: fc.constantFrom('a', 'b', null) }), {
      maxLength: 14,
    });
    const rules = expected
      .volume(1, 3)
      .uniqueness('id', 0.9)
      .freshness(({ id }) => id, millis(5))
      .completeness('station', 1);
    fc.assert(
      fc.property(
        samples,
        fc.constantFrom(tumbling(millis(10)), hopping({ size: millis(12), every: millis(4) })),
        (steps, window) => {
          let now = 0;
          const records = steps.map(({ step, id, station }) => {
            now += step;
            return trip(now - (id === 3 ? 15 : 0), id, station);
          });
          const operator = judging(rules, { window, allowedLateness: millis(3), late: 'count' });
          checkOperator(operator, records, { disorderMs: 4 });
          // Without a key every window has one verdict of each rule, without a gap and in order.
          const run = driveOperator(operator, records, { disorderMs: 4, final: true });
          const ends = verdictsOf(run)
            .filter(({ expectation }) => expectation === 'volume')
            .map(({ endMs }) => endMs);
          expect(ends).toEqual(ends.map((_, i) => (ends[0] as number) + i * window.every));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('says what cannot be, and reads well', () => {
    const problems = (expect: WindowExpectations<Trip>, options: Partial<ValidateWindowsOptions<Trip>> = {}) =>
      judging(expect, options).problems?.map(({ message }) => message);
    expect(problems(expected.volume(1, 2))).toEqual([]);
    expect(problems(expected.volume(2, 2))).toEqual([]);
    expect(problems(expected.volume(Number.NaN, 2))).toEqual(['volume: the range is NaN to 2']);
    expect(problems(expected.volume(1, Number.NaN))).toEqual(['volume: the range is 1 to NaN']);
    expect(problems(expected)).toEqual(['no expectation']);
    expect(problems(expected.volume(3, 2).volume(1, 2))).toEqual([
      'volume is declared twice',
      'volume: the range is 3 to 2',
      'volume is declared twice',
    ]);
    expect(problems(expected.quantile('minutes', 95, 0, 1))).toEqual(['p9500:minutes/measured: a quantile at 95']);
    expect(problems(expected.volume(1, 2), { key: ({ station }) => station })).toEqual(['keysMax is 0']);
    expect(judging(expected.volume(1, 2).freshness(() => 1, millis(60_000), 'divert')).settings).toEqual({
      window: 'tumbling 10ms',
      late: 'dead-letter',
      keysMax: 1,
      expect: 'volume [1, 2], freshness <= 1m or divert',
    });
  });
});
