import { describe, expect, it } from 'vitest';
import { sample } from '../../../src/operators/sampling/sample.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

interface Value {
  readonly id: string | number | null;
}
const values = (count: number) => Array.from({ length: count }, (_, id) => ({ value: { id } }));
const sampled = (rate: number, seed?: string) =>
  sample<Value>({ key: (value) => value.id, rate, ...(seed === undefined ? {} : { seed }) });
const ids = (run: ReturnType<typeof driveOperator>) => run.emitted.map(({ value }) => (value as Value).id);

describe('sample', () => {
  it('keeps the operator contract', () =>
    checkOperator(sampled(0.5), [...values(12), { value: { id: '' } }, { value: { id: null } }]));

  it('keeps the share that it is told, within five standard deviations, for texts and numbers', () => {
    const count = 20_000;
    for (const rate of [0.01, 0.3, 0.9]) {
      const spread = 5 * Math.sqrt(rate * (1 - rate) * count);
      for (const records of [values(count), values(count).map(({ value }) => ({ value: { id: `f-${value.id}` } }))]) {
        const { emitted, counters } = driveOperator(sampled(rate), records);
        expect(Math.abs(emitted.length - rate * count)).toBeLessThan(spread);
        expect(emitted.length + (counters.unsampled ?? 0)).toBe(count);
      }
    }
  });

  it('keeps all or nothing at the ends, and all records of a key or none', () => {
    expect(driveOperator(sampled(1), values(1_000)).emitted).toHaveLength(1_000);
    expect(driveOperator(sampled(0), values(1_000)).emitted).toHaveLength(0);
    const twice = ids(driveOperator(sampled(0.5), [...values(500), ...values(500)]));
    expect(twice.slice(0, twice.length / 2)).toEqual(twice.slice(twice.length / 2));
  });

  it('keeps at a higher rate what it keeps at a lower one, and draws others by another seed', () => {
    const few = ids(driveOperator(sampled(0.1), values(5_000)));
    const many = new Set(ids(driveOperator(sampled(0.4), values(5_000))));
    expect(few.every((id) => many.has(id))).toBe(true);
    const other = new Set(ids(driveOperator(sampled(0.1, 'b'), values(5_000))));
    const both = few.filter((id) => other.has(id)).length; // 1 % of them where the two do not depend on each other
    expect(both).toBeGreaterThan(20);
    expect(both).toBeLessThan(90);
  });

  it('draws the same keys in every release', () =>
    expect(ids(driveOperator(sampled(0.2), values(30)))).toMatchInlineSnapshot(`
      [
        3,
        16,
        21,
        25,
      ]
    `));

  it('sends empty keys to the dead letters, and says what is wrong with a rate', () => {
    const run = driveOperator(sampled(1), [{ value: { id: '' } }, { value: { id: Number.NaN } }]);
    expect(run.deadLetters.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([
      'empty-key: the key is empty',
      'empty-key: the key is NaN',
    ]);
    expect(sampled(0.5).problems).toEqual([]);
    expect([sampled(1.01), sampled(-0.1), sampled(Number.NaN)].map(({ problems }) => problems?.length)).toEqual([
      1, 1, 1,
    ]);
  });
});
