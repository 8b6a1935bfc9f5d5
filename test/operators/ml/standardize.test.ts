import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScaleRule } from '../../../src/operators/ml/scalers.js';
import { standardize } from '../../../src/operators/ml/standardize.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';
import { openAfter } from '../restored.js';

interface Row {
  readonly x: number | null;
  readonly y?: number;
}
const rows = (values: readonly (number | null)[]) => values.map((x) => ({ value: { x } }));
const scaled = (rule: ScaleRule, values: readonly (number | null)[]) =>
  driveOperator(standardize<Row>({ x: rule }), rows(values)).emitted.map(({ value }) => (value as Row).x);

const river = {
  x: [10.557707, 9.100117, 10.945884, 11.568718, 9.687687, 8.874551],
  y: [8.100043, 8.892842, 10.706797, 8.347755, 8.119188, 10.021421],
};

describe('standardize', () => {
  it('refuses the numbers of another rule, rather than taking them for its own', () => {
    const open = (before: ScaleRule, after: ScaleRule) =>
      openAfter(standardize<Row>({ x: before }), rows([1, 2, 3]), standardize<Row>({ x: after }));
    expect(() => open('standard', 'standard')).not.toThrow();
    expect(() => open('standard', 'min-max')).toThrow(/other settings/);
    expect(() => open('min-max', 'standard')).toThrow(/other settings/);
  });

  it.each<[string, ScaleRule]>([
    ['standard', 'standard'],
    ['min-max', 'min-max'],
    ['robust', { use: 'robust', window: 4 }],
    ['fixed', { mean: 3, deviation: 2 }],
  ])('keeps the operator contract: %s', (_, rule) =>
    checkOperator(
      standardize<Row>({ x: rule }),
      rows([3, 1, null, 4, 1e300, Number.NaN, -1e300, Number.NEGATIVE_INFINITY, 5, 5]),
      { stateBytesMax: 100 },
    ),
  );

  it('standard: the numbers of River', () => {
    const published = { x: [0, -0.999, 0.937, 1.129, -0.776, -1.274], y: [0, 0.999, 1.35, -0.651, -0.729, 0.992] };
    for (const of of ['x', 'y'] as const)
      scaled('standard', river[of]).forEach((x, i) => {
        expect(Math.abs((x as number) - (published[of][i] as number))).toBeLessThan(1.1e-3); // it cuts digits off
      });
  });

  it('min-max: the numbers of River', () => {
    const published = [0, 0, 0.40692, 0.322582, 1];
    scaled('min-max', [10.557707, 8.100043, 9.100117, 8.892842, 10.945884]).forEach((x, i) => {
      expect(x).toBeCloseTo(published[i] as number, 5);
    });
  });

  it('robust: the numbers of scikit-learn', () => {
    // RobustScaler().fit_transform([[1, -2, 2], [-2, 1, 3], [4, 1, -2]]): the last row has seen all of them.
    const last = [
      [1, -2, 4],
      [-2, 1, 1],
      [2, 3, -2],
    ].map((column) => scaled('robust', column).at(-1));
    [1, 0, -1.6].forEach((x, i) => {
      expect(last[i]).toBeCloseTo(x, 12);
    });
  });

  it('agrees with two passes over what came before', () => {
    const number = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.double({ min: -1e6, max: 1e6, noNaN: true }));
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 40 }), (values) => {
        const x = values.at(-1) as number;
        const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
        const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
        const [least, greatest] = [Math.min(...values), Math.max(...values)];
        if (deviation > 1e-6) expect(scaled('standard', values).at(-1)).toBeCloseTo((x - mean) / deviation, 6);
        expect(scaled('min-max', values).at(-1)).toBeCloseTo(
          greatest > least ? (x - least) / (greatest - least) : 0,
          9,
        );
      }),
      { numRuns: 60 },
    );
  });

  it('loses no digits where the mean is large and the spread small', () => {
    const values = Array.from({ length: 3_000 }, (_, i) => 1e9 + ([4, 7, 13, 16][i % 4] as number));
    expect(scaled('standard', values).at(-1)).toBeCloseTo(6 / Math.sqrt(22.5), 6); // a textbook's 30 / 4 * 3
  });

  it('scales by fixed numbers, beyond the ends too', () => {
    expect(scaled({ mean: 40, deviation: 12 }, [40, 64, 28])).toEqual([0, 2, -1]);
    expect(scaled({ min: 10, max: 20 }, [10, 15, 25])).toEqual([0, 0.5, 1.5]);
  });

  it('leaves alone what is no finite number, copies what it scales, and counts it', () => {
    const input = { value: { x: 7, y: 2 } };
    const hole = { value: { x: null } };
    const { emitted, counters } = driveOperator(standardize<Row>({ x: { min: 0, max: 10 } }), [input, hole]);
    expect(emitted.map(({ value }) => value)).toEqual([{ x: 0.7, y: 2 }, { x: null }]);
    expect([input.value, emitted[1]?.value === hole.value, counters]).toEqual([{ x: 7, y: 2 }, true, { scaled: 1 }]);
    expect(scaled('standard', [1, Number.POSITIVE_INFINITY, 3]).at(-1)).toBe(1);
  });

  it.each<ScaleRule>(['standard', 'min-max', 'robust'])('leaves alone what would end its scale: %s', (rule) => {
    const usual = Array.from({ length: 40 }, (_, i) => i % 4);
    const odd = [1e308, -1e308, 1e160, -1.1e50];
    const all = scaled(rule, [...usual, ...odd, ...usual]);
    expect(all.slice(40, 44)).toEqual(odd);
    expect(all.slice(44)).toEqual(scaled(rule, [...usual, ...usual]).slice(40));
  });

  it('is described by its rules, and says what is wrong with them', () => {
    expect(standardize<Row>({ x: 'robust', y: { min: 0, max: 1 } }).settings).toEqual({
      x: 'robust over the last 1001',
      y: '0 to 1',
    });
    const problems = (rule: ScaleRule) => standardize<Row>({ x: rule }).problems?.length;
    expect([problems('standard'), problems({ mean: 0, deviation: 0 }), problems({ min: 1, max: 0 })]).toEqual([
      0, 1, 1,
    ]);
    expect([problems({ mean: 0, deviation: 0.1 }), problems({ min: -0.5, max: 0.5 })]).toEqual([0, 0]);
    expect(problems({ use: 'robust', window: 0 })).toBe(1);
    expect(standardize<Row>({}).problems).toHaveLength(1);
  });
});
