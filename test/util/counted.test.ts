import { describe, expect, it } from 'vitest';
import { counted } from '../../src/util/counted.js';

describe('counted', () => {
  it('gives a number the form of the noun that goes with it', () => {
    expect([0, 1, 2, 12_345].map((count) => counted(count, 'record'))).toEqual([
      '0 records',
      '1 record',
      '2 records',
      '12,345 records',
    ]);
    expect([1, 2].map((count) => counted(count, 'process', 'processes'))).toEqual(['1 process', '2 processes']);
  });
});
