import { describe, expect, it } from 'vitest';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';
import { everyNth } from './every-nth.js';

describe('everyNth', () => {
  const records = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name, index) => ({ value: { name }, eventTimeMs: index }));

  it('keeps the operator contract', () => checkOperator(everyNth(3), records, { stateBytesMax: 16 }));

  it('lets every n-th record pass', () => {
    const { emitted } = driveOperator(everyNth<{ name: string }>(3), records);
    expect(emitted.map(({ value }) => value)).toEqual([{ name: 'c' }, { name: 'f' }]);
  });
});
