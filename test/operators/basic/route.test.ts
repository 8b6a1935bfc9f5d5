import fc from 'fast-check';
import { expect, it } from 'vitest';
import { route } from '../../../src/operators/basic/route.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

const samples = [-1, 5, 50, 500].map((n) => ({ value: { n } }));
type Value = { n: number };
const operator = route({ small: ({ n }: Value) => n >= 0 && n < 10, positive: ({ n }: Value) => n >= 0 });

it('keeps the operator contract', () => checkOperator(operator, samples));

it('takes the first rule that holds, and `otherwise` where none does', () => {
  expect(driveOperator(operator, samples).emitted.map(({ output, value }) => [output, (value as Value).n])).toEqual([
    ['otherwise', -1],
    ['small', 5],
    ['positive', 50],
    ['positive', 500],
  ]);
});

it('sends every value to exactly one output', () => {
  const rules = fc.array(fc.integer(), { maxLength: 5 });
  fc.assert(
    fc.property(rules, fc.array(fc.integer()), (bounds, values) => {
      const many = route<number, Record<string, (n: number) => boolean>>(
        Object.fromEntries(bounds.map((bound, i) => [`r${i}`, (n: number) => n < bound])),
      );
      const { emitted } = driveOperator(
        many,
        values.map((value) => ({ value })),
      );
      expect(emitted.map(({ value }) => value)).toEqual(values);
      for (const { value, output } of emitted) {
        const first = bounds.findIndex((bound) => (value as number) < bound);
        expect(output).toBe(first < 0 ? 'otherwise' : `r${first}`);
      }
    }),
  );
});

it('names what is wrong with its rules', () => {
  expect(operator.problems).toEqual([]);
  expect(route({ otherwise: () => true }).problems?.[0]?.message).toMatch(/otherwise/);
  expect(route({ b: () => true, 1: () => true }).problems?.[0]?.message).toMatch(/number/);
});
