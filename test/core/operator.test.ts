import { describe, expect, test } from 'vitest';
import { MillraceError, makeOfEach } from '../../src/core/index.js';

const origins = [4, 5, 6].map((offset) => ({ topic: 'orders', partition: 1, offset }));
const invert = (value: number) => {
  if (value === 0) throw new RangeError('zero');
  return 1 / value;
};

describe('what is made of each record of a batch', () => {
  test('has their order', () => {
    expect(makeOfEach('invert', [1, 2, 4], origins, invert)).toEqual([1, 0.5, 0.25]);
    expect(makeOfEach('place', ['a', 'b'], [], (value, at) => `${value}${at}`)).toEqual(['a0', 'b1']);
  });

  test('is an error with the place of the record that has none', () => {
    expect(() => makeOfEach('invert', [1, 0, 2], origins, invert)).toThrow(
      expect.objectContaining({
        code: 'step',
        where: 'invert',
        message: 'the step threw: zero at orders[1]@5',
        cause: new RangeError('zero'),
      }),
    );
    expect(() => makeOfEach('invert', [0], [], invert)).toThrow('the step threw: zero');
  });

  test('leaves errors with a code as they are', () => {
    const error = new MillraceError('model', 'no model');
    const fail = () => {
      throw error;
    };
    expect(() => makeOfEach('score', [1], origins, fail)).toThrow(error);
  });
});
