import { describe, expect, it } from 'vitest';
import { flatMap } from '../../../src/operators/basic/flat-map.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

const samples = [3, 1, 2, 0].map((n) => ({ value: { n }, eventTimeMs: n * 10 }));
type Value = (typeof samples)[number]['value'];
const emitted = (operator: Parameters<typeof driveOperator>[0]) =>
  driveOperator(operator, samples).emitted.map(({ value }) => value);

describe('flatMap', () => {
  const operator = flatMap(({ n }: Value) => Array.from({ length: n }, (_, i) => i));
  it('keeps the operator contract', () => checkOperator(operator, samples));
  it('gives none, one or many, in order, all with the origin of their value', () => {
    const { emitted } = driveOperator(operator, samples);
    expect(emitted.map(({ value, origin }) => [origin.offset, value])).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [2, 0],
      [2, 1],
    ]);
  });
  it('takes any iterable', () =>
    expect(
      emitted(
        flatMap(function* ({ n }: Value) {
          if (n > 2) yield n;
        }),
      ),
    ).toEqual([3]));
});
