import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { millis, minutes, seconds } from '../../../src/core/index.js';
import { type ThrottleOptions, throttle } from '../../../src/operators/basic/throttle.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

interface Value {
  readonly of: string | null;
}
const operator = (options: Partial<ThrottleOptions<Value>> = {}) =>
  throttle<Value>({ key: (value) => value.of, records: 2, per: millis(100), keysMax: 100, ...options });
const at = (of: string | null, eventTimeMs: number) => ({ value: { of }, eventTimeMs });
const passed = (run: ReturnType<typeof driveOperator>) => run.emitted.map(({ origin }) => origin.offset);

describe('throttle', () => {
  it('keeps the operator contract', () => {
    const samples = [
      at('a', 0),
      at('a', 0),
      at('a', 10),
      at('b', 20),
      at(null, 20),
      at('a', 8e15),
      at('a', 70),
      at('c', 400),
      at('a', 300),
    ];
    checkOperator(operator(), samples, { stateBytesMax: 400 });
    checkOperator(operator({ burst: 1, keysMax: 1, excess: 'drop' }), samples, { stateBytesMax: 200 });
  });

  it('lets a whole burst pass, and no more, at any rate and at times of today', () => {
    for (let records = 1; records <= 60; records++) {
      const nowMs = 1_764_137_000_000 + 7 * records;
      const inputs = Array.from({ length: records + 2 }, () => at('a', nowMs));
      expect([records, passed(driveOperator(operator({ records, per: seconds(1) }), inputs)).length]).toEqual([
        records,
        records,
      ]);
    }
  });

  it('lets pass what a bucket of tokens would', () => {
    const record = fc.record({ of: fc.constantFrom('a', 'b'), step: fc.integer({ min: -30, max: 60 }) });
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 80 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        (records, rate, burst) => {
          // A bucket of `burst` tokens, in units of a millisecond's refill so that all numbers are whole.
          const cost = 60 / rate;
          const buckets = new Map<string, { level: number; atMs: number }>();
          let now = 0;
          let time = 0;
          const inputs: ReturnType<typeof at>[] = [];
          const expected = records.flatMap(({ of, step }, offset) => {
            time = Math.max(0, time + step);
            inputs.push(at(of, time));
            now = Math.max(now, time);
            const bucket = buckets.get(of) ?? { level: burst * cost, atMs: now };
            bucket.level = Math.min(burst * cost, bucket.level + now - bucket.atMs);
            bucket.atMs = now;
            buckets.set(of, bucket);
            if (bucket.level < cost) return [];
            bucket.level -= cost;
            return [offset];
          });
          const run = driveOperator(operator({ records: rate, per: millis(60), burst }), inputs);
          expect(passed(run)).toEqual(expected);
          expect(run.counters.throttled ?? 0).toBe(records.length - expected.length);
          expect(run.deadLetters).toHaveLength(records.length - expected.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('lets a burst pass, then the rate', () => {
    const every10 = Array.from({ length: 100 }, (_, i) => at('a', 10 * i));
    expect(passed(driveOperator(operator({ records: 1, per: millis(100), burst: 3 }), every10))).toEqual([
      0, 1, 2, 10, 20, 30, 40, 50, 60, 70, 80, 90,
    ]);
  });

  it('counts what it drops, without dead letters, where it is told to', () => {
    const run = driveOperator(operator({ excess: 'drop', burst: 1 }), [at('a', 0), at('a', 1)]);
    expect([run.counters, run.deadLetters]).toEqual([{ throttled: 1 }, []]);
  });

  it('one absurd time neither opens the bucket of others nor closes its own for ever', () => {
    const absurd = [at('a', 0), at('a', 1), at('b', 8e15), at('a', 2), at('b', 3)];
    expect(passed(driveOperator(operator({ records: 1, per: seconds(1) }), absurd))).toEqual([0, 2, 4]);
    const first = [at('a', 8e15), at('b', 0), at('b', 1_000), at('a', 2_000), at('a', 2_001)];
    expect(passed(driveOperator(operator({ records: 1, per: seconds(1) }), first))).toEqual([0, 1, 2, 3]);
  });

  it('forgets the key that passed longest ago beyond keysMax, and counts it', () => {
    const run = driveOperator(operator({ keysMax: 1, burst: 1 }), [at('a', 0), at('b', 0), at('a', 0)]);
    expect([passed(run), run.counters]).toEqual([[0, 1, 2], { evicted: 2 }]);
  });

  it('says what is wrong with its options, and how it is set', () => {
    expect(operator({ per: minutes(1) }).settings).toEqual({
      records: 2,
      per: '1m',
      burst: 2,
      excess: 'dead-letter',
      keysMax: 100,
    });
    expect(operator().problems).toEqual([]);
    expect(operator({ records: 0, burst: 0, keysMax: 0 }).problems).toHaveLength(3);
    expect(operator({ records: 0.5, burst: 1 }).problems).toEqual([]);
  });
});
