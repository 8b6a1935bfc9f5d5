import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BEFORE_ALL_MS, millis } from '../../../src/core/index.js';
import { type SampleWindowsOptions, sampleWindows } from '../../../src/operators/sampling/sample-windows.js';
import { uniformBy } from '../../../src/operators/sampling/uniform.js';
import { hopping, tumbling } from '../../../src/operators/window/spec.js';
import { DrivenStep } from '../../../src/testing/drive-operator.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

interface Value {
  readonly id: number | null;
  readonly of?: string | null;
}
const operator = (options: Partial<SampleWindowsOptions<Value>> = {}) =>
  sampleWindows<Value>({ window: tumbling(millis(100)), size: 3, key: (value) => value.id, ...options });
const at = (id: number | null, eventTimeMs: number, of = 'A') => ({ value: { id, of }, eventTimeMs });
const byOf = { by: (value: Value) => value.of, groupsMax: 50 };

describe('sampleWindows', () => {
  it('keeps the operator contract', () => {
    const samples = [5, 20, 30, 90, 110, 80, 99, 130, 240, 20, 250].map((t, i) => at(i, t, i % 2 ? 'A' : 'B'));
    checkOperator(operator({ size: 2 }), [...samples, at(null, 300)], { disorderMs: 50 });
    checkOperator(operator({ ...byOf, groupsMax: 2, size: 1 }), samples, { disorderMs: 50, stateBytesMax: 2_000 });
  });

  it('draws the records with the lowest hashes of each window and group, whatever their order', () => {
    const record = fc.record({ t: fc.nat(350), of: fc.constantFrom('A', 'B') });
    const uniform = uniformBy('s');
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (records, size) => {
        const run = driveOperator(
          operator({ ...byOf, size, seed: 's' }),
          records.map(({ t, of }, id) => at(id, t, of)),
          { disorderMs: 1_000, final: true },
        );
        const expected = [0, 1, 2, 3].flatMap((window) =>
          ['A', 'B'].flatMap((group) =>
            records
              .map(({ t, of }, id) => ({ t, of, id }))
              .filter(({ t, of }) => Math.floor(t / 100) === window && of === group)
              .sort((a, b) => uniform(a.id) - uniform(b.id))
              .slice(0, size)
              .sort((a, b) => a.t - b.t || a.id - b.id)
              .map(({ id }) => [id, 100 * window + 99]),
          ),
        );
        expect(run.emitted.map(({ value, origin }) => [(value as Value).id, origin.eventTimeMs])).toEqual(expected);
        expect(run.counters.unsampled ?? 0).toBe(records.length - expected.length);
      }),
      { numRuns: 60 },
    );
  });

  it('takes no record of a window that ends where the watermark stands', () => {
    const records = [at(1, 50), at(2, 200), at(3, 99), at(4, 100), at(5, 199)];
    const run = driveOperator(operator(), records, { disorderMs: 100, final: true });
    // The watermark is at 100 from the second record on: the window to 100 is closed, the one from it is not.
    expect(run.emitted.map(({ value }) => (value as Value).id)).toEqual([1, 4, 5, 2]);
    expect(run.deadLetters.map(({ reason, detail, origin }) => [reason, detail, origin.offset])).toEqual([
      ['late', '0 ms after its window had closed', 2],
    ]);
  });

  it('takes a number and a text that reads alike for two groups', () => {
    const by = ({ of }: Value) => (of === '#5' ? of : 5);
    const records = [at(1, 10, '#5'), at(2, 20, 'five')];
    const { emitted } = driveOperator(operator({ by, groupsMax: 9, size: 1 }), records, { final: true });
    expect(emitted.map(({ value }) => (value as Value).id).sort()).toEqual([1, 2]);
  });

  it('draws evenly: early and late records of a window alike', () => {
    const windows = 2_000;
    const records = Array.from({ length: windows * 10 }, (_, i) => at(i, 10 * i));
    const { emitted } = driveOperator(operator({ size: 2 }), records, { final: true });
    const drawn = new Array(10).fill(0);
    for (const { value } of emitted) drawn[((value as Value).id as number) % 10]++;
    expect(emitted).toHaveLength(2 * windows);
    // Chi-squared with 9 degrees of freedom: beyond 33.7 once in ten thousand.
    const expected = emitted.length / 10;
    expect(drawn.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)).toBeLessThan(33.7);
  });

  it('sends late records, empty keys and too many groups to the dead letters', () => {
    const { deadLetters } = driveOperator(operator({ ...byOf, groupsMax: 1 }), [
      at(1, 150),
      at(2, 120, 'B'),
      at(3, 99),
      at(null, 150),
      { value: { id: 4, of: null }, eventTimeMs: 150 },
    ]);
    expect(deadLetters.map(({ reason, origin }) => `${reason}@${origin.offset}`)).toEqual([
      'too-many-keys@1',
      'late@2',
      'empty-key@3',
      'empty-key@4',
    ]);
  });

  it('keeps half of the room from records with absurd times', () => {
    const absurd = [1, 2, 3, 4].map((year) => at(year, year * 31_536_000_000));
    // The clock of an input does not believe such times, so the watermark stays.
    const run = new DrivenStep(operator({ ...byOf, groupsMax: 4 }), 0, [], {
      disorderMs: Number.POSITIVE_INFINITY,
      watermarkMs: 0,
    });
    for (const input of [at(0, 50), ...absurd, at(5, 60, 'B'), at(6, 170)]) run.push(input);
    run.end();
    expect(run.deadLetters.map(({ reason, origin }) => `${reason}@${origin.offset}`)).toEqual([
      'too-many-windows@2',
      'too-many-windows@3',
      'too-many-windows@4',
    ]);
    expect(run.emitted).toHaveLength(4);
  });

  it('takes as many groups as it may before the first watermark', () => {
    const groups = ['A', 'B', 'C', 'D'].map((of, id) => at(id, 50, of));
    const run = new DrivenStep(operator({ ...byOf, groupsMax: 4 }), 0, [], {
      disorderMs: Number.POSITIVE_INFINITY,
      watermarkMs: BEFORE_ALL_MS,
    });
    for (const input of groups) run.push(input);
    run.end();
    expect(run.deadLetters).toEqual([]);
    expect(run.emitted).toHaveLength(4);
  });

  it('says what is wrong with its options, and how it is set', () => {
    expect(operator().settings).toEqual({ window: 'tumbling 100ms', size: 3, groupsMax: 100, seed: 'sample-windows' });
    expect(operator().problems).toEqual([]);
    expect(operator({ window: tumbling(millis(1)) }).problems).toEqual([]);
    expect(operator({ size: 0 }).problems).toHaveLength(1);
    expect(operator({ by: (value) => value.of }).problems).toHaveLength(1);
    expect(operator({ window: hopping({ size: millis(10), every: millis(5) }) }).problems).toHaveLength(1);
  });
});
