import { describe, expect, it } from 'vitest';
import { map } from '../../../src/operators/basic/map.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

const samples = [3, 1, 2, 0].map((n) => ({ value: { n }, eventTimeMs: n * 10 }));
type Value = (typeof samples)[number]['value'];
const emitted = (operator: Parameters<typeof driveOperator>[0]) =>
  driveOperator(operator, samples).emitted.map(({ value }) => value);

describe('map', () => {
  const operator = map(({ n }: Value, origin) => [n, origin.eventTimeMs, origin.offset]);
  it('keeps the operator contract', () => checkOperator(operator, samples));
  it('gives what the function gives, from value and origin', () =>
    expect(emitted(operator)).toEqual([
      [3, 30, 0],
      [1, 10, 1],
      [2, 20, 2],
      [0, 0, 3],
    ]));
  it('passes on null and undefined like any value', () =>
    expect(emitted(map(({ n }: Value) => (n > 1 ? null : undefined)))).toEqual([null, undefined, null, undefined]));
  it('lets what the function throws through', () => {
    const failing = map(({ n }: Value) => {
      if (n === 2) throw new Error('two is too many');
      return n;
    });
    const { failure, emitted } = driveOperator(failing, samples);
    expect([failure, emitted.length]).toEqual(['two is too many', 2]);
  });
});
