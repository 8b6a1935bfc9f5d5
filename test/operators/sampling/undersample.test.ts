import { describe, expect, it } from 'vitest';
import { sample } from '../../../src/operators/sampling/sample.js';
import { type UndersampleOptions, undersample } from '../../../src/operators/sampling/undersample.js';
import { uniformBy } from '../../../src/operators/sampling/uniform.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';
import { generator } from '../../random.js';
import { openAfter } from '../restored.js';

interface Value {
  readonly id: number | null;
  readonly late: boolean | null;
}
type Weighed = Value & { readonly weight: number };
const operator = (options: Partial<UndersampleOptions<Value, 'weight', 'true' | 'false'>> = {}) =>
  undersample<Value, 'weight', 'true' | 'false'>({
    class: (value) => value.late,
    shares: { true: 1, false: 1 },
    key: (value) => value.id,
    as: 'weight',
    ...options,
  });
const random = generator(7);
const oneInTen = Array.from({ length: 20_000 }, (_, id) => ({ value: { id, late: random() < 0.1 } }));
const outOf = (operator: Parameters<typeof driveOperator>[0], records = oneInTen) =>
  driveOperator(operator, records).emitted.map(({ value }) => value as Weighed);

describe('undersample', () => {
  it('keeps the operator contract', () =>
    checkOperator(
      operator(),
      [...oneInTen.slice(0, 30), { value: { id: null, late: true } }, { value: { id: 3, late: null } }],
      {
        stateBytesMax: 40,
      },
    ));

  it('refuses the counts of other classes, rather than taking them for its own', () => {
    const open = (shares: UndersampleOptions<Value, 'weight', 'true' | 'false'>['shares']) =>
      openAfter(operator({ shares: { true: 1, false: 1 } }), oneInTen.slice(0, 3), operator({ shares }));
    expect(() => open({ true: 1, false: 3 })).not.toThrow(); // shares may change
    expect(() => open({ false: 1, true: 1 })).toThrow(/other settings/);
  });

  it.each([
    [{ true: 1, false: 1 }, 0.5],
    [{ true: 1, false: 3 }, 0.25],
    [{ true: 0.2, false: 0.05 }, 0.8],
  ])('gives the classes their shares: %o', (shares, share) => {
    const emitted = outOf(operator({ shares }));
    const late = emitted.filter((value) => value.late);
    expect(Math.abs(late.length / emitted.length - share)).toBeLessThan(0.02);
    expect(late.length).toBe(oneInTen.filter(({ value }) => value.late).length); // the rare class stays whole
    expect(new Set(late.slice(50).map(({ weight }) => weight))).toEqual(new Set([1]));
  });

  it('thins the rare class where it is to be rarer still', () => {
    const emitted = outOf(operator({ shares: { true: 1, false: 99 } }));
    expect(emitted.filter((value) => !value.late).length).toBeGreaterThan(17_900);
    expect(Math.abs(emitted.filter((value) => value.late).length / emitted.length - 0.01)).toBeLessThan(0.004);
  });

  it('weighs what it keeps so that sums are those of the whole stream', () => {
    const emitted = outOf(operator());
    for (const late of [true, false]) {
      const sum = emitted.filter((value) => value.late === late).reduce((total, { weight }) => total + weight, 0);
      const whole = oneInTen.filter(({ value }) => value.late === late).length;
      expect(Math.abs(sum / whole - 1)).toBeLessThan(0.05);
    }
  });

  it('draws apart from what `sample` drew of the same keys before', () => {
    const sampled = driveOperator(sample<Value>({ key: (value) => value.id, rate: 0.3 }), oneInTen).emitted;
    const emitted = outOf(
      operator(),
      sampled.map(({ value }) => ({ value: value as Value & { id: number; late: boolean } })),
    );
    expect(Math.abs(emitted.filter((value) => value.late).length / emitted.length - 0.5)).toBeLessThan(0.04);
  });

  it('decides as a plain model does', () => {
    const uniform = uniformBy('undersample');
    const counts = { true: 0, false: 0 };
    const expected = oneInTen.slice(0, 2_000).flatMap(({ value: { id, late } }) => {
      const of = `${late}` as const;
      counts[of]++;
      const chance =
        1 /
        counts[of] /
        Math.max(
          ...Object.values(counts)
            .filter((n) => n > 0)
            .map((n) => 1 / n),
        );
      return uniform(id) < chance ? [{ id, late, weight: 1 / chance }] : [];
    });
    expect(outOf(operator(), oneInTen.slice(0, 2_000))).toEqual(expected);
  });

  it('sends what it cannot place to the dead letters', () => {
    const { deadLetters } = driveOperator(operator(), [
      { value: { id: 1, late: null } },
      { value: { id: null, late: true } },
    ]);
    expect(deadLetters.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([
      'unknown-class: its class is null, none of true, false',
      'empty-key: the key is null',
    ]);
  });

  it('says what is wrong with its options, and how it is set', () => {
    expect(operator().settings).toEqual({ shares: 'true: 1, false: 1', as: 'weight', seed: 'undersample' });
    expect(operator().problems).toEqual([]);
    expect(operator({ shares: { true: 0, false: 1 } }).problems).toHaveLength(1);
    expect(operator({ shares: { true: 1 } as never }).problems).toHaveLength(1);
  });
});
