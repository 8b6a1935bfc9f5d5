import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { millis, minutes } from '../../../src/core/index.js';
import { type StratifyOptions, stratify } from '../../../src/operators/sampling/stratify.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

interface Value {
  readonly id: number;
  readonly of: string | number | null;
}
const operator = (options: Partial<StratifyOptions<Value>>) =>
  stratify<Value>({ stratum: (value) => value.of, key: (value) => value.id, ...options });
const at = (of: Value['of'], id: number, eventTimeMs = 0) => ({ value: { id, of }, eventTimeMs });
const ids = (run: ReturnType<typeof driveOperator>) => run.emitted.map(({ value }) => (value as Value).id);

describe('stratify', () => {
  it('keeps the operator contract', () => {
    const samples = ['A', 'A', 'B', 'A', null, 'C', 'A', 'B', 'B', 7].map((of, i) => at(of, i, 40 * i));
    const quota = { records: 2, every: millis(150) };
    checkOperator(operator({ quota, strataMax: 3, rates: { B: 0.5 } }), samples, { stateBytesMax: 200 });
    checkOperator(operator({ rates: { A: 0.5 } }), samples, { stateBytesMax: 0 });
  });

  it('keeps of each stratum the share that its rate says', () => {
    const count = 10_000;
    const records = Array.from({ length: 3 * count }, (_, i) => at(['A', 'B', 'C'][i % 3] ?? '', i));
    const { emitted, counters } = driveOperator(operator({ rates: { A: 0.1, B: 0 }, otherwise: 0.5 }), records);
    const kept = (of: string) => emitted.filter(({ value }) => (value as Value).of === of).length;
    expect(Math.abs(kept('A') - 1_000)).toBeLessThan(150);
    expect(kept('B')).toBe(0);
    expect(Math.abs(kept('C') - 5_000)).toBeLessThan(250);
    expect(counters.unsampled).toBe(3 * count - emitted.length);
  });

  it('lets a quota of each stratum and window pass: as a plain model says, in any order of times', () => {
    const record = fc.record({ of: fc.constantFrom('A', 'B', 'C'), t: fc.nat(1_000) });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 80 }), fc.integer({ min: 1, max: 4 }), (records, quota) => {
        const newest = new Map<string, { window: number; passed: number }>();
        const expected = records.flatMap(({ of, t }, id) => {
          const window = Math.floor(t / 100);
          const known = newest.get(of);
          if (!known || window > known.window) newest.set(of, { window, passed: 1 });
          else if (known.passed < quota) known.passed++;
          else return [];
          return [id];
        });
        const step = operator({ quota: { records: quota, every: millis(100) }, strataMax: 3 });
        const run = driveOperator(
          step,
          records.map(({ of, t }, id) => at(of, id, t)),
        );
        expect(ids(run)).toEqual(expected);
        expect(run.counters.over_quota ?? 0).toBe(records.length - expected.length);
      }),
      { numRuns: 60 },
    );
  });

  it('one absurd time, even the first, does not close the quota of its stratum for ever', () => {
    const hour = 3_600_000;
    const every = Array.from({ length: 12 }, (_, i) => at('A', i, Math.floor(i / 3) * hour + i));
    const quota = { quota: { records: 2, every: millis(hour) }, strataMax: 9 };
    const expected = [0, 1, 3, 4, 6, 7, 9, 10];
    expect(ids(driveOperator(operator(quota), every))).toEqual(expected);
    for (const place of [5, 8]) {
      const records = [...every.slice(0, place), at('A', 99, 8e15), ...every.slice(place)];
      expect(ids(driveOperator(operator(quota), records)).filter((id) => id !== 99)).toEqual(expected);
      checkOperator(operator(quota), records, { stateBytesMax: 200 });
    }
    const first = [at('A', 99, 8e15), ...every];
    expect(ids(driveOperator(operator(quota), first)).slice(-6)).toEqual([3, 4, 6, 7, 9, 10]);
  });

  it('sends what it cannot place to the dead letters', () => {
    const step = operator({ quota: { records: 5, every: minutes(1) }, strataMax: 1, rates: { Z: 0.5 } });
    const { deadLetters, emitted } = driveOperator(step, [
      at('A', 1),
      at('B', 2),
      at(null, 3),
      at('', 4),
      at('A', 5),
      at('Z', Number.NaN),
    ]);
    expect(deadLetters.map(({ reason, origin }) => `${reason}@${origin.offset}`)).toEqual([
      'too-many-keys@1',
      'empty-stratum@2',
      'empty-stratum@3',
      'empty-key@5',
    ]);
    expect(emitted).toHaveLength(2);
  });

  it('says what is wrong with its options, and how it is set', () => {
    const quota = { records: 10, every: minutes(5) };
    expect(operator({ quota, strataMax: 9, rates: { A: 0.5 } }).settings).toEqual({
      rates: 'A: 0.5',
      otherwise: 1,
      quota: '10 every 5m',
      strataMax: 9,
      seed: 'stratify',
    });
    const problems = (options: Partial<StratifyOptions<Value>>) =>
      operator(options).problems?.map(({ message }) => message);
    expect(problems({ quota, strataMax: 9 })).toEqual([]);
    expect(problems({})).toEqual(['neither rates nor a quota']);
    expect(problems({ quota })).toEqual(['strataMax is undefined']);
    expect(problems({ quota: { records: 0, every: minutes(5) }, strataMax: 1 })).toHaveLength(1);
    expect(problems({ rates: { A: 2 }, otherwise: 0.5 })).toEqual(['the rate of A is 2']);
    expect(stratify<Value>({ stratum: (value) => value.of, rates: { A: 0.5 } }).problems).toHaveLength(1);
  });
});
