import { describe, expect, it } from 'vitest';
import { onesOf } from '../../../src/ml/features/ones.js';
import { rowLimits } from '../../../src/ml/learners/rows.js';

const row = (dense: number[], values: Float32Array) => ({
  dense: Float32Array.from(dense),
  indices: Uint32Array.from(values, (_, i) => i),
  values,
});

describe('rowLimits', () => {
  it('takes a row within the limit as it is', () => {
    const limits = rowLimits(2, 10);
    const features = row([10, -10], Float32Array.of(1, 10));
    expect(limits.refusalOf(features, 1)).toBeUndefined();
    expect(limits.usable(features)).toBe(features);
  });

  it.each([
    ['not-finite', row([Number.NaN, 0], onesOf(1)), [0, 0], [1]],
    ['not-finite', row([0, 0], Float32Array.of(Number.POSITIVE_INFINITY)), [0, 0], [10]],
    ['too-large', row([0, -11], onesOf(1)), [0, -10], [1]],
    ['too-large', row([0, 0], Float32Array.of(11)), [0, 0], [10]],
  ])('refuses as %s, and cuts for a prediction', (reason, features, dense, values) => {
    const limits = rowLimits(2, 10);
    expect(limits.refusalOf(features, 1)).toBe(reason);
    expect(limits.usable(features)).toEqual({
      dense: Float64Array.from(dense),
      indices: features.indices,
      values: Float64Array.from(values),
    });
  });

  it('holds the ones of a view to a limit below 1 too', () => {
    const limits = rowLimits(0, 0.5);
    expect(limits.refusalOf(row([], onesOf(2)), 1)).toBe('too-large');
    expect(limits.usable(row([], onesOf(2))).values).toEqual(Float64Array.of(0.5, 0.5));
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses the weight %d', (weight) => {
    expect(rowLimits(0, 10).refusalOf(row([], onesOf(1)), weight)).toBe('unusable-weight');
  });
});
