import fc from 'fast-check';
import { expect, it } from 'vitest';
import { getInHalves, readAnswer } from '../../src/core/index.js';

it('a question that a store refuses because of some keys is answered for all others', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), async (bad) => {
      const keys = bad.map((isBad, i) => `${isBad ? 'bad' : 'good'}${i}`);
      let asked = 0;
      const answers = await getInHalves(keys, async (some) => {
        asked += 1;
        return some.some((key) => key.startsWith('bad')) ? 'no' : some.map((value) => ({ kind: 'found', value }));
      });
      expect(answers).toEqual(
        keys.map((key, i) => (bad[i] ? { kind: 'refused', detail: 'no' } : { kind: 'found', value: key })),
      );
      const poison = bad.filter(Boolean).length;
      expect(asked).toBeLessThanOrEqual(1 + 2 * poison * Math.ceil(Math.log2(keys.length + 1)));
    }),
  );
});

it('what is found is a value, nothing, or unreadable', () => {
  expect(readAnswer(() => 0)).toEqual({ kind: 'found', value: 0 });
  expect(readAnswer(() => null)).toEqual({ kind: 'found', value: null });
  expect(readAnswer(() => undefined)).toEqual({ kind: 'missing' });
  expect(
    readAnswer(() => {
      throw new Error('torn');
    }),
  ).toEqual({ kind: 'refused', detail: 'the value cannot be decoded: torn' });
});
