import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addToMoments,
  clearMoments,
  MOMENTS_SIZE,
  mergeMoments,
  nextMean,
  nextMeanOfAnySize,
  removeFromMoments,
  subtractMoments,
  varianceOf,
} from '../../src/util/moments.js';

const values = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { maxLength: 30 });

/** Beside others, which must stay as they are. */
const AT = 2;

function momentsOf(list: readonly number[]): Float64Array {
  const moments = new Float64Array(AT + MOMENTS_SIZE + 1).fill(7);
  clearMoments(moments, AT);
  for (const x of list) addToMoments(moments, AT, x);
  return moments;
}

function expectMoments(moments: Float64Array, list: readonly number[]): void {
  const mean = list.length === 0 ? 0 : list.reduce((sum, x) => sum + x, 0) / list.length;
  const squared = list.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  expect(moments[AT]).toBe(list.length);
  expect(moments[AT + 1]).toBeCloseTo(mean, 6);
  expect(moments[AT + 2]).toBeCloseTo(squared, 3);
  expect([moments[0], moments[1], moments[AT + MOMENTS_SIZE]]).toEqual([7, 7, 7]);
}

describe('moments', () => {
  it('are those of all values, merged in any cut', () => {
    fc.assert(
      fc.property(values, values, (some, others) => {
        const moments = momentsOf(some);
        const more = momentsOf(others);
        mergeMoments(moments, AT, more, AT);
        expectMoments(moments, [...some, ...others]);
        expect(more).toEqual(momentsOf(others));
      }),
    );
  });

  it('are those of what is left, and exactly nothing where nothing is', () => {
    fc.assert(
      fc.property(values, fc.nat(30), (list, count) => {
        const moments = momentsOf(list);
        for (const x of list.slice(0, count)) removeFromMoments(moments, AT, x);
        expectMoments(moments, list.slice(count));
        if (count >= list.length) expect(moments).toEqual(momentsOf([]));
      }),
    );
  });

  it('are as before after a merge was taken back, with no squares below 0', () => {
    fc.assert(
      fc.property(values, values, (some, others) => {
        const moments = momentsOf([...some, ...others]);
        subtractMoments(moments, AT, momentsOf(others), AT);
        expectMoments(moments, some);
        expect(moments[AT + 2]).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('count a value as often as its weight says', () => {
    const moments = momentsOf([3]);
    addToMoments(moments, AT, 9, 2);
    expectMoments(moments, [3, 9, 9]);
    expect(varianceOf(moments, AT)).toBeCloseTo(12, 9);
    expect(varianceOf(momentsOf([3]), AT)).toBe(0);
  });

  it('have a mean of values of any size, where a difference overflows', () => {
    expect(nextMean(-Number.MAX_VALUE, Number.MAX_VALUE, 2)).toBe(Number.POSITIVE_INFINITY);
    expect(nextMeanOfAnySize(-Number.MAX_VALUE, Number.MAX_VALUE, 2)).toBe(0);
  });
});
