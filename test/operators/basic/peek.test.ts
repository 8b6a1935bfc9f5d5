import { describe, expect, it } from 'vitest';
import { peek } from '../../../src/operators/basic/peek.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

const samples = [3, 1, 2, 0].map((n) => ({ value: { n }, eventTimeMs: n * 10 }));
type Value = (typeof samples)[number]['value'];

describe('peek', () => {
  it('keeps the operator contract', () =>
    checkOperator(
      peek(() => {}),
      samples,
    ));
  it('sees every value with its origin and passes the same one on', () => {
    const seen: unknown[] = [];
    const { emitted } = driveOperator(
      peek((value: Value, { offset }) => seen.push([value.n, offset])),
      samples,
    );
    expect(seen).toEqual([
      [3, 0],
      [1, 1],
      [2, 2],
      [0, 3],
    ]);
    emitted.forEach(({ value }, i) => void expect(value).toBe(samples[i]?.value));
  });
});
