import { expect, it } from 'vitest';
import { StateSizes } from '../../../src/runtime/measures/state-sizes.js';

it('is what is stored now: buckets that change or go take their old bytes with them', () => {
  const sizes = new StateSizes();
  const change = (step: string, bucket: number, bytes: number | null) => ({
    ...{ step, cell: 'seen', bucket },
    bytes: bytes === null ? null : new Uint8Array(bytes),
  });
  expect(sizes.note([change('dedupe', 0, 100), change('dedupe', 1, 30), change('learn', 0, 7)])).toBe(137);
  expect(sizes.note([change('dedupe', 0, 60), change('dedupe', 1, null), change('dedupe', 2, 5)])).toBe(65);
  expect(Object.fromEntries(sizes.byStep())).toEqual({ dedupe: 65, learn: 7 });
});
