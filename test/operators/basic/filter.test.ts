import { describe, expect, it } from 'vitest';
import { filter } from '../../../src/operators/basic/filter.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

const samples = [3, 1, 2, 0].map((n) => ({ value: { n }, eventTimeMs: n * 10 }));
type Value = (typeof samples)[number]['value'];

describe('filter', () => {
  const operator = filter(({ n }: Value) => n % 2 === 1);
  it('keeps the operator contract', () => checkOperator(operator, samples));
  it('keeps the very objects that pass, in order, with their origins', () => {
    const { emitted } = driveOperator(operator, samples);
    expect(emitted.map(({ origin }) => origin.offset)).toEqual([0, 1]);
    expect(emitted[0]?.value).toBe(samples[0]?.value);
  });
});
